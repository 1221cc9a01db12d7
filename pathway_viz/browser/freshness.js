/** What a viewer may believe, in words: the truth of the link first, then of the pipeline. Pure. */

import { age } from "./format.js";

/**
 * @typedef {"live" | "idle" | "stale" | "waiting" | "refused"} Freshness
 * @typedef {{kind: Freshness, text: string}} Verdict
 * @typedef {{liveness: string, commit: number}} Known
 */

/** @type {Record<number, string>} */
const REFUSALS = {
  4400: "This page and the server do not understand each other. Reload the page.",
  4401: "You are signed out.",
  4403: "You may not see this dashboard.",
  4404: "There is no such dashboard.",
  4409: "The server refused a message of this page. Reload the page.",
};

/**
 * @param {import("./connection.js").State} state
 * @param {number} code why the socket was closed
 * @param {Known[]} topics
 * @param {number} now the node's clock
 * @param {number} heardAt when something was heard last, by this browser's clock
 * @returns {Verdict}
 */
export function verdict(state, code, topics, now, heardAt) {
  if (state === "stopped") return { kind: "refused", text: REFUSALS[code] ?? "The server refused this page." };
  if (state !== "open") return { kind: "waiting", text: lost(heardAt) };
  if (topics.length === 0) return { kind: "idle", text: "Nothing to show yet" };
  return believed(topics, now);
}

/** @param {number} heardAt */
function lost(heardAt) {
  return heardAt ? `Reconnecting · shown as of ${age(Date.now() - heardAt)}` : "Connecting";
}

/** @param {Known[]} topics @param {number} now @returns {Verdict} */
function believed(topics, now) {
  const latest = Math.max(...topics.map((topic) => topic.commit));
  const is = (/** @type {string} */ liveness) => topics.some((topic) => topic.liveness === liveness);
  if (is("stale")) return { kind: "stale", text: `Stale · the pipeline is silent since ${age(now - oldest(topics))}` };
  if (is("live")) return { kind: "live", text: "Live" };
  if (is("idle")) return { kind: "idle", text: `Idle · last change ${age(now - latest)}` };
  return { kind: "waiting", text: "Waiting for the pipeline" };
}

/** @param {Known[]} topics */
function oldest(topics) {
  return Math.min(...topics.filter((topic) => topic.liveness === "stale").map((topic) => topic.commit));
}
