/** table: a topic's rows, kept in place by key; what changed lights up for a moment. */

import { element, prefersStillness, say } from "../dom.js";
import { alignsRight, cell, toNumber } from "../format.js";

/**
 * @typedef {import("../state.js").Topic} Topic
 * @typedef {import("../wire.js").Row} Row
 * @typedef {{key: string, row: Row}} Shown
 * @typedef {{name: string, at: number, type: string, format: string, right: boolean}} ColumnView
 */

const TIMES = new Set(["datetime", "datetime_naive"]);
const AGES_MS = 1000;
const LIGHT_MS = 1200;

export class Table {
  /** @param {HTMLElement} body @param {import("../wire.js").WidgetConfig} config */
  constructor(body, config) {
    this.options = config.options;
    this.sortBy = this.options.sort_by;
    this.descending = this.options.descending;
    this.head = element("tr");
    this.rows = element("tbody");
    this.more = element("p", { class: "pv-table-more" });
    const table = element("table", { class: "pv-table" }, element("thead", {}, this.head), this.rows);
    table.setAttribute("aria-label", config.title);
    body.replaceChildren(element("div", { class: "pv-table-scroll", tabindex: "0" }, table), this.more);
    /** @type {Map<string, {line: HTMLElement, row: Row}>} */
    this.lines = new Map();
    /** @type {ColumnView[]} */
    this.columns = [];
    this.life = -1;
    /** @type {WeakMap<HTMLElement, number>} */
    this.changes = new WeakMap();
  }

  destroy() {
    clearInterval(this.clock);
  }

  /** @param {Topic} topic */
  paint(topic) {
    this.topic = topic;
    if (this.columns.length === 0) this.begin(topic);
    const fresh = topic.life !== this.life;
    this.life = topic.life;
    const rows = this.ordered(topic);
    const shown = rows.slice(0, this.options.max_rows);
    this.scale = this.scales(shown);
    this.drop(shown);
    shown.forEach((one, at) => this.place(one, at, fresh));
    say(this.more, rows.length > shown.length ? `${shown.length} of ${rows.length.toLocaleString()} rows` : "");
  }

  /** @param {Topic} topic */
  begin(topic) {
    const names = this.options.columns.length ? this.options.columns : topic.schema?.columns.map((one) => one.name);
    this.columns = (names ?? [])
      .map((/** @type {string} */ name) => {
        const [type, format] = [topic.type(name), this.options.formats[name] ?? "auto"];
        return { name, at: topic.index(name), type, format, right: alignsRight(type, format) };
      })
      .filter((/** @type {ColumnView} */ column) => column.at >= 0);
    this.head.replaceChildren(...this.columns.map((column) => this.heading(column)));
    this.markSorted();
    if (this.columns.some((column) => column.format === "ago")) {
      this.clock = setInterval(() => this.topic && this.paint(this.topic), AGES_MS);
    }
  }

  /** @param {ColumnView} column */
  heading(column) {
    const button = element("button", { type: "button" }, column.name.replaceAll("_", " "));
    button.addEventListener("click", () => this.sort(column.name));
    return element("th", { scope: "col", "data-right": String(column.right) }, button);
  }

  /** @param {string} name */
  sort(name) {
    const column = this.columns.find((one) => one.name === name);
    this.descending = this.sortBy === name ? !this.descending : Boolean(column?.right);
    this.sortBy = name;
    this.markSorted();
    if (this.topic) this.paint(this.topic);
  }

  markSorted() {
    this.columns.forEach((column, i) => {
      const order = column.name !== this.sortBy ? "none" : this.descending ? "descending" : "ascending";
      this.head.children[i].setAttribute("aria-sort", order);
    });
  }

  /** @param {Topic} topic @returns {Shown[]} */
  ordered(topic) {
    const rows = topic.isKeyed
      ? Array.from(topic.rows, ([key, row]) => ({ key, row }))
      : topic.happenings.map(({ number, row }) => ({ key: String(number), row })).reverse();
    const at = topic.index(this.sortBy);
    if (at < 0) return rows;
    const sign = this.descending ? -1 : 1;
    return rows.sort((a, b) => sign * compare(a.row[at], b.row[at], topic.type(this.sortBy)));
  }

  /** Bars reach as far as the largest value shown. @param {Shown[]} shown */
  scales(shown) {
    const bars = this.columns.filter((column) => column.format === "bar");
    return new Map(
      bars.map(({ at }) => [at, Math.max(0, ...shown.map(({ row }) => toNumber(row[at])).filter(Number.isFinite))]),
    );
  }

  /** @param {Shown[]} shown */
  drop(shown) {
    const kept = new Set(shown.map(({ key }) => key));
    for (const [key, { line }] of this.lines) {
      if (kept.has(key)) continue;
      line.remove();
      this.lines.delete(key);
    }
  }

  /** @param {Shown} shown @param {number} at @param {boolean} fresh */
  place({ key, row }, at, fresh) {
    const held = this.lines.get(key) ?? this.line(key, row);
    if (this.rows.children[at] !== held.line) this.rows.insertBefore(held.line, this.rows.children[at] ?? null);
    this.columns.forEach((column, i) => {
      const box = /** @type {HTMLElement} */ (held.line.children[i]);
      const changed = !same(held.row[column.at], row[column.at]);
      this.fillCell(box, column, row[column.at]);
      if (changed) this.light(box, fresh);
    });
    held.row = row;
  }

  /** @param {string} key @param {Row} row */
  line(key, row) {
    const boxes = this.columns.map((column) => element("td", { "data-right": String(column.right), "data-format": column.format }));
    const held = { line: element("tr", {}, ...boxes), row };
    this.lines.set(key, held);
    return held;
  }

  /** What changes faster than the light fades is no news. @param {HTMLElement} box @param {boolean} fresh */
  light(box, fresh) {
    const now = performance.now();
    const before = this.changes.get(box) ?? -Infinity;
    this.changes.set(box, now);
    if (!fresh && now - before > LIGHT_MS) flash(box);
  }

  /** @param {HTMLElement} box @param {ColumnView} column @param {any} value */
  fillCell(box, column, value) {
    const text = cell(value, column.type, column.format);
    if (column.format === "badge") {
      if (box.textContent !== text) box.replaceChildren(element("span", { class: "pv-badge", "data-tone": tone(text) }, text));
      return;
    }
    say(box, text);
    if (column.format === "bar") {
      const share = toNumber(value) / (this.scale?.get(column.at) || 1);
      box.style.setProperty("--pv-share", `${Math.max(0, Math.min(1, share || 0)) * 100}%`);
    }
  }
}

/** @param {any} a @param {any} b @param {string} type @returns {number} nulls last, whichever way */
export function compare(a, b, type) {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const [x, y] = TIMES.has(type) ? [Date.parse(a), Date.parse(b)] : [toNumber(a), toNumber(b)];
  if (type !== "str" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** @param {any} a @param {any} b */
function same(a, b) {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}

/** @param {HTMLElement} box */
function flash(box) {
  if (prefersStillness() || !box.animate) return;
  box.animate([{ backgroundColor: "var(--pv-changed)" }, { backgroundColor: "transparent" }], { duration: LIGHT_MS, easing: "ease-out" });
}

const TONES = 6;
/** @type {Record<string, string>} */
const KNOWN_TONES = { error: "critical", critical: "critical", fatal: "critical", warning: "warning", warn: "warning", ok: "good", info: "0" };

/** @param {string} text @returns {string} always the same tone for the same text */
function tone(text) {
  const known = KNOWN_TONES[text.toLowerCase()];
  if (known) return known;
  return String([...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) % TONES);
}
