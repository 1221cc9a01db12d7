/** Light or dark: as the viewer chose on this browser, else as the dashboard says, else as the system does. */

import { forgetTokens } from "./dom.js";

const KEY = "pathway_viz.theme";
const CHOICES = ["auto", "light", "dark"];
/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {string} what the viewer chose */
function chosen() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A page without storage forgets the choice.
  }
}

/** @param {string} [suggested] what a dashboard suggests to those who have not chosen */
export function applyTheme(suggested = "auto") {
  const theme = chosen() === "auto" ? suggested : chosen();
  document.documentElement.dataset.pvTheme = theme;
  forgetTokens();
  for (const listener of listeners) listener();
}

/** @param {() => void} listener told whenever colours change @returns {() => void} ends it */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `<button is>` would be nicer, but Safari has none: any `[data-pv-theme-switch]` steps through the choices. */
export function installThemeSwitch() {
  applyTheme(document.documentElement.dataset.pvTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme());
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest?.("[data-pv-theme-switch]");
    if (!button) return;
    const next = CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length];
    remember(next);
    applyTheme();
    label(button);
  });
  for (const button of document.querySelectorAll("[data-pv-theme-switch]")) label(button);
}

/** @param {Element} button */
function label(button) {
  const text = `Theme: ${chosen() === "auto" ? "as the system" : chosen()}`;
  button.setAttribute("aria-label", text);
  button.setAttribute("title", text);
  /** @type {HTMLElement} */ (button).dataset.pvThemeSwitch = chosen();
}
