/** gauge: one number between two bounds, on an arc. */

import { element, say, svg } from "../dom.js";
import { number, toNumber, withUnit } from "../format.js";
import { level } from "../thresholds.js";

const RADIUS = 80;
const WIDTH = 14;
const SWEEP = 240; // degrees, open at the bottom

export class Gauge {
  /** @param {HTMLElement} body @param {import("../wire.js").WidgetConfig} config */
  constructor(body, config) {
    this.options = config.options;
    this.fill = arc(0, 1, "pv-gauge-fill");
    this.length = (Math.PI * RADIUS * SWEEP) / 180;
    this.value = element("span", { class: "pv-gauge-value" });
    this.box = element("div", { class: "pv-gauge", role: "meter", "aria-label": config.title }, this.dial(), this.value);
    for (const [name, bound] of [["min", this.options.min], ["max", this.options.max]]) {
      this.box.setAttribute(`aria-value${name}`, String(bound));
      this.box.append(element("span", { class: `pv-gauge-${name}` }, number(bound)));
    }
    body.replaceChildren(this.box);
  }

  dial() {
    const zones = this.zones().map(([from, to, name]) => arc(from, to, `pv-gauge-zone pv-gauge-${name}`, RADIUS + WIDTH));
    return svg("svg", { viewBox: "0 0 200 168", "aria-hidden": "true" }, arc(0, 1, "pv-gauge-track"), this.fill, ...zones);
  }

  /** @returns {[number, number, string][]} */
  zones() {
    const { warning, critical } = this.options;
    const low = warning !== null && critical !== null && critical < warning;
    const share = (/** @type {number} */ bound) => this.share(bound);
    const bands = [
      [warning, critical, "warning"],
      [critical, null, "critical"],
    ].filter(([bound]) => bound !== null);
    return /** @type {any} */ (
      bands.map(([from, to, name]) =>
        low ? [to === null ? 0 : share(to), share(from), name] : [share(from), to === null ? 1 : share(to), name],
      )
    );
  }

  /** @param {number} value @returns {number} 0 to 1 */
  share(value) {
    const { min, max } = this.options;
    return Math.min(1, Math.max(0, (value - min) / (max - min)));
  }

  /** @param {import("../state.js").Topic} topic */
  paint(topic) {
    const raw = topic.latest?.row[topic.index(this.options.column)];
    const value = toNumber(raw);
    const text = withUnit(number(raw, this.options.format), this.options.unit);
    say(this.value, text);
    const filled = Number.isFinite(value) ? this.share(value) * this.length : 0;
    this.fill.setAttribute("stroke-dasharray", `${filled.toFixed(1)} 1000`);
    this.box.dataset.level = level(value, this.options);
    this.box.setAttribute("aria-valuenow", Number.isFinite(value) ? String(value) : "");
    this.box.setAttribute("aria-valuetext", text);
  }
}

/** @param {number} from @param {number} to shares of the sweep @param {string} name @param {number} [radius] */
function arc(from, to, name, radius = RADIUS) {
  const point = (/** @type {number} */ share) => {
    const angle = ((-90 - SWEEP / 2 + share * SWEEP) * Math.PI) / 180;
    return `${(100 + radius * Math.cos(angle)).toFixed(2)} ${(104 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = (to - from) * SWEEP > 180 ? 1 : 0;
  const d = `M${point(from)}A${radius} ${radius} 0 ${large} 1 ${point(to)}`;
  return svg("path", { d, class: name, fill: "none" });
}
