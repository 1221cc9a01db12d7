/** <pv-dashboard> and <pv-widget>: each owns its life, whoever puts it into the page or takes it out. */

import { element, say } from "./dom.js";
import { asOf, verdict, widgetVerdict } from "./freshness.js";
import { number } from "./format.js";
import { pageAt } from "./page.js";
import { applyTheme, onTheme } from "./theme.js";
import { KINDS } from "./widgets/kinds.js";

/**
 * @typedef {import("./wire.js").WidgetConfig} WidgetConfig
 * @typedef {import("./page.js").Page} Page
 */

const CLOCK_MS = 1000;
const NEAR = "100px"; // so far from the screen a widget is in sight

/** A dashboard: header, state line and widgets. Without `slug` it only gives its widgets a connection. */
export class DashboardElement extends HTMLElement {
  slug = "";
  /** @type {string[]} */
  topics = [];
  /** @type {Page | null} */
  page = null;
  /** @type {WidgetConfig[]} */
  widgets = [];
  /** @type {import("./wire.js").Refusal | null} */
  refusal = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  clock;

  connectedCallback() {
    this.slug = this.getAttribute("slug") ?? "";
    this.page = pageAt(this.getAttribute("socket") ?? "");
    this.topics = this.slug ? [] : previews(this).map((widget) => widget.topic);
    if (this.getAttribute("theme")) applyTheme(this.getAttribute("theme") ?? "auto");
    this.page.add(this);
    this.clock = setInterval(() => this.secondPassed(), CLOCK_MS);
  }

  disconnectedCallback() {
    clearInterval(this.clock);
    this.page?.remove(this);
  }

  /** @param {import("./wire.js").Config} config */
  configured(config) {
    if (!config.dashboard) return;
    const { title, description, widgets } = config.dashboard;
    this.widgets = widgets;
    this.put(".pv-title", title);
    this.put(".pv-description", description);
    this.arrange(this.only(widgets));
  }

  /** A single embedded widget shows only itself. @param {WidgetConfig[]} widgets */
  only(widgets) {
    const only = this.getAttribute("only");
    return only ? widgets.filter((widget) => widget.name === only) : widgets;
  }

  /** Keep the widgets there are, in the dashboard's order. @param {WidgetConfig[]} widgets */
  arrange(widgets) {
    const grid = this.querySelector(".pv-grid");
    if (!grid) return;
    const held = new Map([...grid.querySelectorAll("pv-widget")].map((one) => [one.getAttribute("name"), one]));
    const wanted = widgets.map((config) => {
      const widget = /** @type {WidgetElement} */ (held.get(config.name) ?? shell(config));
      held.delete(config.name);
      return { widget, config };
    });
    for (const gone of held.values()) gone.remove();
    wanted.forEach(({ widget, config }, at) => {
      if (grid.children[at] !== widget) grid.insertBefore(widget, grid.children[at] ?? null);
      widget.configure(config);
    });
    grid.toggleAttribute("data-empty", wanted.length === 0);
  }

  /** @param {import("./wire.js").Refusal} refusal */
  refused(refusal) {
    this.refusal = refusal;
    this.stateChanged();
  }

  secondPassed() {
    this.stateChanged();
    const widgets = /** @type {NodeListOf<WidgetElement>} */ (this.querySelectorAll("pv-widget"));
    widgets.forEach((widget, at) => setTimeout(() => widget.secondPassed?.(), (at / widgets.length) * CLOCK_MS));
  }

  stateChanged() {
    const line = this.querySelector(".pv-state");
    if (!line || !this.page) return;
    const { connection, code, store, heardAt } = this.page;
    const shown = this.only(this.widgets).map((widget) => store.topic(widget.topic));
    const found = verdict(connection.state, code, shown, this.page.now(), heardAt);
    this.dataset.freshness = found.kind;
    /** @type {HTMLElement} */ (line).dataset.freshness = found.kind;
    say(line, this.refusal && found.kind === "refused" ? this.refusal.text : found.text);
    this.put(".pv-as-of", asOf(shown));
  }

  /** @param {string} selector @param {string} text */
  put(selector, text) {
    const found = this.querySelector(selector);
    if (found) say(found, text);
  }
}

/** @param {Element} board @returns {WidgetConfig[]} */
function previews(board) {
  const specs = [...board.querySelectorAll("pv-widget[spec]")].map((one) => one.getAttribute("spec"));
  return specs.map((spec) => JSON.parse(spec ?? "{}"));
}

/** @param {WidgetConfig} config @returns {HTMLElement} what the templates render, for a widget that is new */
function shell(config) {
  return element("pv-widget", { name: config.name, kind: config.kind, size: config.size });
}

/** A widget: its frame, and inside it whatever its kind draws. */
export class WidgetElement extends HTMLElement {
  topic = "";
  drawn = "";
  /** @type {Page | null} */
  page = null;
  /** @type {WidgetConfig | null} */
  config = null;
  /** @type {import("./widgets/kinds.js").View | null} */
  view = null;
  /** @type {HTMLElement | null} */
  body = null;
  /** @type {HTMLElement | null} */
  note = null;
  /** @type {HTMLElement | null} */
  state = null;
  /** @type {() => void} */
  forgetTheme = () => {};
  /** @type {ResizeObserver | null} */
  resized = null;
  /** @type {IntersectionObserver | null} */
  sighted = null;
  inSight = true;
  behind = false;

  connectedCallback() {
    const board = /** @type {DashboardElement | null} */ (this.closest("pv-dashboard"));
    if (!board) return;
    customElements.upgrade(board);
    this.page = board.page ?? pageAt(board.getAttribute("socket") ?? "");
    this.build();
    this.page.watchers.add(this);
    this.forgetTheme = onTheme(() => this.redraw());
    this.resized = new ResizeObserver(() => this.view?.resize?.());
    this.resized.observe(/** @type {Element} */ (this.body));
    this.sighted = new IntersectionObserver((found) => this.moved(found), { rootMargin: NEAR });
    this.sighted.observe(this);
    const spec = this.getAttribute("spec");
    const held = board.widgets?.find((widget) => widget.name === this.getAttribute("name"));
    if (spec) this.configure(JSON.parse(spec));
    else if (held) this.configure(held);
  }

  disconnectedCallback() {
    this.page?.watchers.delete(this);
    this.page?.painter.forget(this);
    this.forgetTheme();
    this.resized?.disconnect();
    this.sighted?.disconnect();
    this.discard();
  }

  /** The frame: rendered by the server, or made here. */
  build() {
    if (!this.querySelector(".pv-widget-body")) {
      this.append(
        element(
          "header",
          { class: "pv-widget-head" },
          element("h2", { class: "pv-widget-title" }),
          element("p", { class: "pv-widget-description" }),
        ),
        element("div", { class: "pv-widget-body" }),
      );
    }
    this.body = /** @type {HTMLElement} */ (this.querySelector(".pv-widget-body"));
    this.note ??= element("p", { class: "pv-widget-note", hidden: "" });
    this.state ??= element("span", { class: "pv-widget-state" });
    this.append(this.state, this.note);
  }

  /** @param {WidgetConfig} config */
  configure(config) {
    const before = this.config;
    if (before && JSON.stringify(before) === JSON.stringify(config)) return;
    this.config = config;
    this.topic = config.topic;
    this.setAttribute("size", config.size);
    this.setAttribute("kind", config.kind);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", config.title);
    say(/** @type {Element} */ (this.querySelector(".pv-widget-title")), config.title);
    say(/** @type {Element} */ (this.querySelector(".pv-widget-description")), config.description);
    this.redraw();
  }

  /** Draw everything anew: options, schema or colours are other ones. */
  redraw() {
    this.discard();
    this.changed();
  }

  discard() {
    this.view?.destroy?.();
    this.view = null;
    this.drawn = "";
    this.body?.replaceChildren();
  }

  /** Who is out of sight is painted once a second: nobody sees it, but a screen reader reads it. */
  changed() {
    this.behind = true;
    if (this.isConnected && (this.inSight || !this.view)) this.page?.painter.mark(this, !this.view);
  }

  /** @param {IntersectionObserverEntry[]} found */
  moved(found) {
    this.inSight = found.at(-1)?.isIntersecting ?? true;
    if (this.inSight && this.behind) this.changed();
  }

  secondPassed() {
    this.tell();
    if (!this.inSight && this.behind) this.page?.painter.mark(this);
  }

  /** What takes long before `paint`, and is not seen yet. */
  prepare() {
    if (!this.page || !this.view?.prepare) return;
    const topic = this.page.store.topic(this.topic);
    if (this.drawn === shape(topic)) this.view.prepare(topic);
  }

  paint() {
    if (!this.config || !this.page || !this.isConnected) return;
    this.behind = false;
    const topic = this.page.store.topic(this.topic);
    this.tell();
    const schema = shape(topic);
    if (!schema) return;
    if (schema !== this.drawn) {
      this.discard();
      this.drawn = schema;
      this.view = KINDS[this.config.kind]?.(/** @type {HTMLElement} */ (this.body), this.config, this.page) ?? null;
    }
    this.view?.paint(topic);
  }

  /** Say what may not be believed, and why. */
  tell() {
    if (!this.config || !this.page) return;
    const topic = this.page.store.topic(this.topic);
    const found = widgetVerdict(this.page.connection.state === "open", topic, this.page.now());
    this.dataset.freshness = found.kind;
    if (this.state) say(this.state, topic.position ? found.text : "");
    this.toggleAttribute("data-waiting", !topic.position);
    const warnings = this.config?.warnings ?? [];
    const nonfinite = topic.schema?.nonfinite ?? [];
    const notes = nonfinite.length ? [`${nonfinite.join(", ")}: holds NaN or infinite values, left empty.`] : [];
    if (topic.skipped) notes.push(`${number(topic.skipped)} ${topic.skipped === 1 ? "row" : "rows"} skipped.`);
    const words = [...warnings, ...notes].join(" ");
    if (this.note) {
      say(this.note, words);
      this.note.hidden = !words;
      this.note.title = words;
    }
  }
}

/** @param {import("./state.js").Topic} topic @returns {string} what a view is made for; empty if there is nothing to draw */
function shape(topic) {
  return topic.schema && topic.position ? JSON.stringify(topic.schema.columns) : "";
}
