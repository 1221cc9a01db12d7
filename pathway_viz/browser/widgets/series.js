/** From a topic's rows to the points of a chart's series. Pure; bounded by `max_points` each. */

import { toNumber, toTime } from "../format.js";

/**
 * @typedef {import("../state.js").Topic} Topic
 * @typedef {{x: string, y: string[], series: string, max_points: number, window_s: number | null}} ChartOptions
 * @typedef {[number, number | null]} Point time in Unix milliseconds, value; null is a gap
 */

export const MAX_SERIES = 60;

export class Series {
  /** @param {ChartOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, Point[]>} */
    this.lines = new Map();
    this.next = 0;
    this.life = -1;
  }

  /** Whether a point is a row that may change, and not something that happened. @param {Topic} topic */
  isStanding(topic) {
    return topic.isKeyed && this.options.x !== "";
  }

  /** Take what is new. @param {Topic} topic @returns {boolean} whether what was drawn before counts no more */
  take(topic) {
    const anew = topic.life !== this.life;
    if (this.isStanding(topic)) {
      this.lines.clear();
      for (const [key, row] of topic.rows) this.add(topic, 0, key, row);
      for (const line of this.lines.values()) line.sort((a, b) => a[0] - b[0]);
    } else {
      if (anew) this.begin(topic);
      for (const { commit, key, row } of topic.since(this.next)) this.add(topic, commit, key, row);
      this.next = topic.count;
    }
    this.life = topic.life;
    for (const [name, line] of this.lines) this.lines.set(name, this.bounded(line));
    return anew;
  }

  /** @param {Topic} topic */
  begin(topic) {
    this.lines.clear();
    this.next = topic.happenings[0]?.number ?? topic.count;
  }

  /** @param {Topic} topic @param {number} commit @param {string} key @param {any[]} row */
  add(topic, commit, key, row) {
    const { x, y, series } = this.options;
    const at = x ? this.time(row[topic.index(x)], topic.type(x)) : commit;
    for (const column of y) {
      const name = series ? String(row[topic.index(series)]) : this.nameOf(topic, column, key);
      const value = toNumber(row[topic.index(column)]);
      this.push(name, [at, Number.isFinite(value) ? value : null]);
    }
  }

  /** Rows of a keyed topic are lines of their own, unless there is only one. @param {Topic} topic @param {string} column @param {string} key */
  nameOf(topic, column, key) {
    return topic.isKeyed && !this.options.x && topic.rows.size > 1 ? `${column} ${key}` : column;
  }

  /** @param {any} value @param {string} type */
  time(value, type) {
    return type === "int" || type === "float" ? toNumber(value) : toTime(value);
  }

  /** Keep a line in the order of time, also where a value comes late. @param {string} name @param {Point} point */
  push(name, point) {
    if (Number.isNaN(point[0])) return;
    let line = this.lines.get(name);
    if (!line) {
      if (this.lines.size >= MAX_SERIES) return;
      this.lines.set(name, (line = []));
    }
    let at = line.length;
    while (at > 0 && line[at - 1][0] > point[0]) at -= 1;
    line.splice(at, 0, point);
  }

  /** @param {Point[]} line */
  bounded(line) {
    const { max_points: most } = this.options;
    return line.length > most ? line.slice(-most) : line;
  }

  /** @returns {number} the newest time of all lines */
  get newest() {
    return Math.max(...[...this.lines.values()].map((line) => line.at(-1)?.[0] ?? -Infinity));
  }

  /** Put points of the past before those that are there. @param {import("../wire.js").History} past @param {Topic} topic */
  recall(past, topic) {
    const { y, series } = this.options;
    const firsts = new Map([...this.lines].map(([name, line]) => [name, line[0]?.[0] ?? Infinity]));
    past.times.forEach((time, i) => {
      for (const column of y) {
        const name = series ? String(past.columns[series]?.[i]) : this.nameOf(topic, column, past.keys[i]);
        const value = toNumber(past.columns[column]?.[i]);
        if (time < (firsts.get(name) ?? Infinity)) this.push(name, [time, Number.isFinite(value) ? value : null]);
      }
    });
    for (const [name, line] of this.lines) this.lines.set(name, this.bounded(line));
  }
}
