/** What the page knows of each topic. Pure: messages in, state out; memory is bounded. */

import { parsePosition } from "./wire.js";

/**
 * @typedef {import("./wire.js").Row} Row
 * @typedef {{number: number, commit: number, key: string, row: Row}} Happening one row as it came, or came to be
 */

export const MAX_HAPPENINGS = 5_000;

export class Topic {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    /** @type {import("./wire.js").Schema | null} */
    this.schema = null;
    this.position = "";
    this.commit = 0;
    this.liveness = "unknown";
    /** @type {Map<string, Row>} rows by key; for an append topic empty */
    this.rows = new Map();
    /** @type {Happening[]} the latest rows in the order in which they came, numbered without a hole */
    this.happenings = [];
    this.count = 0;
    /** Grows with every snapshot: what was drawn before it must be drawn anew. */
    this.life = 0;
    this.heard = 0;
    /** How many rows an append topic has had so far; -1: not told yet. */
    this.rowsSoFar = -1;
    /** How many more a bound dropped before they were published. */
    this.droppedSoFar = 0;
    /** How many of them this page will never get: they left the log, or a bound dropped them. */
    this.skipped = 0;
  }

  get isKeyed() {
    return this.schema?.kind === "keyed";
  }

  /** @param {string} column @returns {number} where it stands in a row; -1 if it is gone */
  index(column) {
    return this.schema ? this.schema.columns.findIndex((one) => one.name === column) : -1;
  }

  /** @param {string} column @returns {string} */
  type(column) {
    return this.schema?.columns.find((one) => one.name === column)?.type ?? "any";
  }

  /** The row that changed last. @returns {Happening | undefined} */
  get latest() {
    return this.happenings.at(-1);
  }

  /** @param {import("./wire.js").Snapshot} snapshot */
  replace(snapshot) {
    this.life += 1;
    this.position = snapshot.position;
    this.commit = snapshot.commit;
    this.rows = new Map(Object.entries(snapshot.rows ?? {}));
    this.happenings = [];
    const came = (snapshot.batches ?? []).reduce((sum, [, rows]) => sum + rows.length, 0);
    this.recount(came, snapshot);
    for (const [key, row] of this.rows) this.happened(snapshot.commit, key, row);
    for (const [commit, rows] of snapshot.batches ?? []) {
      for (const row of rows) this.happened(commit, "", row);
    }
  }

  /**
   * Apply a frame if it is the next one; what is old is ignored.
   * @param {import("./wire.js").Update} update
   * @returns {"applied" | "old" | "gap"}
   */
  apply(update) {
    const order = follows(this.position, update.position);
    if (order !== "applied") return order;
    this.position = update.position;
    this.commit = update.commit;
    for (const key of update.deletes ?? []) this.rows.delete(key);
    for (const [key, row] of Object.entries(update.upserts ?? {})) {
      this.rows.set(key, row);
      this.happened(update.commit, key, row);
    }
    this.rowsSoFar += update.rows?.length ?? 0;
    this.lose(update.dropped ?? this.droppedSoFar);
    for (const row of update.rows ?? []) this.happened(update.commit, "", row);
    return "applied";
  }

  /** Between what was held and the `came` rows of a snapshot may be some that will never come. @param {number} came @param {import("./wire.js").Snapshot} snapshot */
  recount(came, { count = 0, dropped = 0 }) {
    if (this.rowsSoFar < 0) this.droppedSoFar = dropped;
    else this.skipped += Math.max(0, count - came - this.rowsSoFar);
    this.rowsSoFar = count;
    this.lose(dropped);
  }

  /** A bound has dropped so many rows so far: this page has missed those that are new. @param {number} dropped */
  lose(dropped) {
    this.skipped += Math.max(0, dropped - this.droppedSoFar);
    this.droppedSoFar = dropped;
  }

  /** @param {number} commit @param {string} key @param {Row} row */
  happened(commit, key, row) {
    this.happenings.push({ number: this.count++, commit, key, row });
    if (this.happenings.length > MAX_HAPPENINGS * 1.2) this.happenings.splice(0, MAX_HAPPENINGS * 0.2);
  }

  /** What happened from `number` on. @param {number} number @returns {Happening[]} */
  since(number) {
    const first = this.happenings[0]?.number ?? this.count;
    return this.happenings.slice(Math.max(0, number - first));
  }
}

/** @param {string} have @param {string} next @returns {"applied" | "old" | "gap"} */
function follows(have, next) {
  if (!have) return "gap";
  const [a, b] = [parsePosition(have), parsePosition(next)];
  if (a.epoch !== b.epoch) return "gap";
  if (b.offset <= a.offset) return "old";
  return b.offset === a.offset + 1 ? "applied" : "gap";
}

export class Store {
  constructor() {
    /** @type {Map<string, Topic>} */
    this.topics = new Map();
  }

  /** @param {string} name @returns {Topic} */
  topic(name) {
    const held = this.topics.get(name) ?? new Topic(name);
    this.topics.set(name, held);
    return held;
  }

  /** @param {Iterable<string>} names the topics still shown; the others are forgotten */
  keep(names) {
    const kept = new Set(names);
    for (const name of this.topics.keys()) if (!kept.has(name)) this.topics.delete(name);
  }

  /** Where the page stands, for `hello`. @returns {Record<string, string>} */
  positions() {
    const held = [...this.topics.values()].filter((topic) => topic.position);
    return Object.fromEntries(held.map((topic) => [topic.name, topic.position]));
  }
}
