/** Values as people read them. */

import { format as numberFormat } from "d3-format";

/** @type {Map<string, (value: number) => string>} */
const formats = new Map();

/** @param {number} value @param {string} specifier @returns {string} */
function byFormat(value, specifier) {
  if (!formats.has(specifier)) formats.set(specifier, numberFormat(specifier));
  return /** @type {(value: number) => string} */ (formats.get(specifier))(value);
}

/** @param {any} value @returns {number} NaN if it is none; digits beyond 2^53 come as strings */
export function toNumber(value) {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}

/** @param {number} value @returns {string} */
function bySize(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value)) return byFormat(value, ",d");
  if (size >= 10_000) return byFormat(value, ",.0f");
  if (size >= 100) return byFormat(value, ",.1f");
  return size >= 1 ? byFormat(value, ".2f") : byFormat(value, ".3~g");
}

/** @param {any} value @param {string} [specifier] d3-format; empty chooses by size */
export function number(value, specifier = "") {
  const known = toNumber(value);
  if (Number.isNaN(known)) return value == null ? "–" : String(value);
  return specifier ? byFormat(known, specifier) : bySize(known);
}

const BEFORE = new Set(["$", "€", "£", "¥"]);

/** @param {string} text @param {string} unit */
export function withUnit(text, unit) {
  if (!unit || text === "–") return text;
  if (BEFORE.has(unit)) return text.startsWith("−") ? `−${unit}${text.slice(1)}` : `${unit}${text}`;
  if (unit === "%" || unit.startsWith("°")) return `${text}${unit}`;
  return text.replace(/([a-zµ]?)$/i, (prefix) => ` ${prefix}${unit}`);
}

/** @param {any} value @returns {string} 1.5 MB */
export function bytes(value) {
  const known = toNumber(value);
  if (Number.isNaN(known)) return "–";
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const power = known ? Math.min(units.length - 1, Math.floor(Math.log(Math.abs(known)) / Math.log(1024))) : 0;
  return `${byFormat(known / 1024 ** power, power ? ".1f" : ".0f")} ${units[power]}`;
}

/** @param {number} seconds @returns {string} 3 s, 2 min, 5 h, 4 d */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (Number.isNaN(size)) return "–";
  if (size < 1) return `${byFormat(seconds * 1000, ".3~g")} ms`;
  if (size < 60) return `${byFormat(seconds, size < 10 ? ".1~f" : ".0f")} s`;
  if (size < 3600) return `${Math.floor(seconds / 60)} min`;
  return size < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** @param {number} ms an age in milliseconds @returns {string} */
export function age(ms) {
  return ms < 1000 ? "now" : `${duration(Math.floor(ms / 1000))} ago`;
}

/** @param {any} value a datetime or timestamp as it travels @returns {number} Unix milliseconds, NaN if it is none */
export function toTime(value) {
  if (typeof value === "number") return value;
  return typeof value === "string" ? Date.parse(value.replace(/(\.\d{3})\d+/, "$1")) : NaN;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** @param {any} value */
export function time(value) {
  const at = toTime(value);
  return Number.isNaN(at) ? "–" : clock.format(at);
}

/** @param {any} value */
export function datetime(value) {
  const at = toTime(value);
  return Number.isNaN(at) ? "–" : day.format(at);
}

/** @type {Record<string, (value: any) => string>} a cell by its column's type */
const BY_TYPE = {
  int: (value) => number(value, typeof value === "number" ? ",d" : ""),
  float: (value) => number(value),
  decimal: (value) => String(value),
  duration: (value) => duration(value),
  datetime: datetime,
  datetime_naive: datetime,
  timestamp: datetime,
  bool: (value) => (value ? "yes" : "no"),
};

/** @type {Record<string, (value: any) => string>} a cell by the format chosen for its column */
const BY_FORMAT = {
  text: String,
  code: String,
  badge: String,
  integer: (value) => number(value, ",.0f"),
  decimal: (value) => number(value, ",.2f"),
  percent: (value) => `${number(value, ".1f")}%`,
  compact: (value) => number(value, ".3~s"),
  bytes,
  time,
  datetime,
  ago: (value) => age(Date.now() - toTime(value)),
  duration: (value) => duration(toNumber(value)),
};

/** @param {any} value @param {string} type the column's @param {string} chosen `auto` or a format */
export function cell(value, type, chosen) {
  if (value === null || value === undefined) return "–";
  if (chosen === "bar") return number(value, type === "int" ? ",d" : ",.1f");
  const show = BY_FORMAT[chosen] ?? BY_TYPE[type];
  if (show) return show(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const NUMERIC = new Set(["int", "float", "decimal", "duration"]);

/** @param {string} type @param {string} chosen @returns {boolean} whether a cell stands to the right */
export function alignsRight(type, chosen) {
  if (["text", "badge", "code"].includes(chosen)) return false;
  return NUMERIC.has(type) || ["integer", "decimal", "percent", "compact", "bytes"].includes(chosen);
}
