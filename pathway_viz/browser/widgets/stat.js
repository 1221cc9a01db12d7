/** stat: one number, large, with what it was before and where it came from. */

import { element, say, svg } from "../dom.js";
import { number, toNumber, withUnit } from "../format.js";
import { level } from "../thresholds.js";

const POINTS = 120;
const WIDTH = 100;
const HEIGHT = 28;
const BACK_MS = 10 * 60_000;

export class Stat {
  /**
   * @param {HTMLElement} body
   * @param {import("../wire.js").WidgetConfig} config
   * @param {import("../page.js").Page} page
   */
  constructor(body, config, page) {
    this.options = config.options;
    this.page = page;
    this.value = element("span", { class: "pv-stat-value" });
    this.delta = element("span", { class: "pv-stat-delta" });
    this.line = svg("path", { class: "pv-spark-line" });
    this.area = svg("path", { class: "pv-spark-area" });
    this.box = element("div", { class: "pv-stat" }, element("div", { class: "pv-stat-row" }, this.value, this.delta));
    body.replaceChildren(this.box);
    if (this.options.sparkline) this.box.append(this.sparkline());
    /** @type {number[]} */
    this.course = [];
    this.next = 0;
    this.life = -1;
    this.before = NaN;
  }

  sparkline() {
    const view = { class: "pv-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" };
    return svg("svg", { ...view, "aria-hidden": "true" }, this.area, this.line);
  }

  /** @param {import("../state.js").Topic} topic */
  paint(topic) {
    const at = topic.index(this.options.column);
    if (topic.life !== this.life) this.begin(topic);
    for (const { row } of topic.since(this.next)) this.take(toNumber(row[at]));
    this.next = topic.count;
    const value = topic.latest?.row[at];
    say(this.value, withUnit(number(value, this.options.format), this.options.unit));
    this.box.dataset.level = level(toNumber(value), this.options);
    if (this.options.delta) this.paintDelta();
    if (this.options.sparkline) this.paintCourse();
  }

  /** @param {import("../state.js").Topic} topic */
  begin(topic) {
    this.life = topic.life;
    this.next = topic.happenings[0]?.number ?? topic.count;
    if (topic.isKeyed && this.options.sparkline) this.recall(topic);
  }

  /** A keyed topic holds only what is; the log knows what was. @param {import("../state.js").Topic} topic */
  async recall(topic) {
    const { column } = this.options;
    const past = await this.page.history(topic.name, [column], this.page.now() - BACK_MS, POINTS);
    const values = (past?.columns[column] ?? []).map(toNumber).filter(Number.isFinite);
    this.course = [...values.slice(0, -1), ...this.course].slice(-POINTS);
    if (this.course.length) this.paintCourse();
  }

  /** @param {number} value */
  take(value) {
    if (!Number.isFinite(value)) return;
    this.before = this.course.at(-1) ?? NaN;
    this.course.push(value);
    if (this.course.length > POINTS) this.course.shift();
  }

  paintDelta() {
    const change = (this.course.at(-1) ?? NaN) - this.before;
    const known = Number.isFinite(change) && change !== 0;
    const { delta_good: good } = this.options;
    const up = change > 0;
    this.delta.dataset.good = !known || good === "neither" ? "neither" : String(up === (good === "up"));
    say(this.delta, known ? `${up ? "▲" : "▼"} ${number(Math.abs(change), this.options.format)}` : "");
    this.delta.setAttribute("aria-label", known ? `${up ? "up" : "down"} ${number(Math.abs(change))}` : "unchanged");
  }

  paintCourse() {
    const path = coursePath(this.course);
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", path && `${path}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`);
  }
}

/** @param {number[]} values @returns {string} an SVG path over WIDTH × HEIGHT */
export function coursePath(values) {
  if (values.length < 2) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || 1;
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * WIDTH;
    const y = HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
    return `${x.toFixed(2)},${y.toFixed(2)}`;
  });
  return `M${points.join("L")}`;
}
