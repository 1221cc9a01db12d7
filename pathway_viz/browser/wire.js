/** The messages between node and browser: the twin of `wire.py`. */

export const PROTOCOL_VERSION = 1;

/**
 * @typedef {{name: string, type: string}} Column
 * @typedef {{name: string, title: string, kind: "keyed" | "append", columns: Column[], shared: boolean,
 *   worker: string, nonfinite: string[], problems: string[]}} Schema
 * @typedef {{name: string, kind: string, title: string, description: string, topic: string, size: string,
 *   options: Record<string, any>, warnings: string[]}} WidgetConfig
 * @typedef {{slug: string, title: string, description: string, theme: string, revision: number,
 *   widgets: WidgetConfig[]}} DashboardConfig
 * @typedef {{dashboard: DashboardConfig | null, topics: Record<string, Schema>, rights: string[],
 *   heartbeat_ms: number}} Config
 * @typedef {any[]} Row
 * @typedef {{topic: string, position: string, reason: string, commit: number,
 *   count?: number, dropped?: number, rows?: Record<string, Row>, batches?: [number, Row[]][]}} Snapshot
 * @typedef {{topic: string, position: string, commit: number, dropped?: number, rows?: Row[],
 *   upserts?: Record<string, Row>, deletes?: string[]}} Update
 * @typedef {{topics: Record<string, string>, commits: Record<string, number>, now: number,
 *   draining: boolean}} Status
 * @typedef {{id: string, topic: string, start: number, end: number, resolution: number, complete: boolean,
 *   times: number[], keys: string[], columns: Record<string, any[]>}} History
 * @typedef {{code: number, text: string, about: string}} Refusal
 * @typedef {{version: number, type: string, payload: any}} Envelope
 */

/** What a page does when the node closes the socket with a code. */
export const CLOSE_CODES = Object.freeze({
  1012: "again", // the node drains: at once, with jitter
  4400: "stop", // protocol
  4401: "stop", // signed out
  4403: "stop", // no permission
  4404: "stop", // no such dashboard
  4408: "wait", // too slow
  4409: "stop", // too large
  4429: "wait", // too many
});

/** Any other code is a lost link. @param {number} code @returns {"again" | "stop" | "wait"} */
export function reaction(code) {
  return /** @type {any} */ (CLOSE_CODES)[code] ?? "wait";
}

/** @param {string} type @param {object} payload @returns {string} one message of one envelope */
export function encode(type, payload) {
  return JSON.stringify([{ version: PROTOCOL_VERSION, type, payload }]);
}

/** @param {string} text @returns {Envelope[]} */
export function decode(text) {
  const envelopes = JSON.parse(text);
  const unknown = envelopes.find((/** @type {Envelope} */ one) => one.version !== PROTOCOL_VERSION);
  if (unknown) throw new Error(`protocol version ${unknown.version} is unknown to this page; reload it`);
  return envelopes;
}

/** @param {string} position `epoch:ms-offset` */
export function parsePosition(position) {
  const [epoch, rest] = position.split(":");
  const [ms, offset] = rest.split("-").map(Number);
  return { epoch, ms, offset };
}
