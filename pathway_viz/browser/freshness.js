/** What a viewer may believe, in words: the truth of the link first, then of the pipeline. Pure. */

import { age, time } from "./format.js";

/**
 * @typedef {"live" | "idle" | "stale" | "dead" | "waiting" | "refused"} Freshness
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
  if (is("dead")) return { kind: "dead", text: `The pipeline is gone · last change ${ago(oldest(topics, "dead"), now)}` };
  if (is("stale")) return { kind: "stale", text: `Stale · nothing is known since ${ago(oldest(topics, "stale"), now)}` };
  if (is("live")) return { kind: "live", text: "Live" };
  if (is("idle")) return { kind: "idle", text: `Idle · last change ${ago(latest, now)}` };
  return { kind: "waiting", text: "Waiting for the pipeline" };
}

/** @param {Known[]} topics @param {string} liveness */
function oldest(topics, liveness) {
  return Math.min(...topics.filter((topic) => topic.liveness === liveness).map((topic) => topic.commit));
}

/** @param {number} commit @param {number} now */
function ago(commit, now) {
  return commit ? age(now - commit).replace(/^now$/, "a moment ago") : "the start";
}

/**
 * What a widget says of itself; nothing while all is well.
 * @param {boolean} linked whether the page hears the node
 * @param {Known} topic
 * @param {number} now the node's clock
 * @returns {Verdict}
 */
export function widgetVerdict(linked, topic, now) {
  const since = topic.commit ? ` · ${age(now - topic.commit)}` : "";
  if (!linked) return { kind: "waiting", text: `not connected${since}` };
  if (topic.liveness === "dead") return { kind: "dead", text: `pipeline gone${since}` };
  if (topic.liveness === "stale") return { kind: "stale", text: `stale${since}` };
  if (topic.liveness === "idle") return { kind: "idle", text: `idle${since}` };
  return { kind: topic.liveness === "live" ? "live" : "waiting", text: "" };
}

/** The commit that is shown, as a time of day. @param {Known[]} topics @returns {string} */
export function asOf(topics) {
  const latest = Math.max(0, ...topics.map((topic) => topic.commit));
  return latest ? `as of ${time(latest)}` : "";
}
