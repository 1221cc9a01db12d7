/** The page: one connection and one store for all dashboards and widgets on it. */

import { Connection } from "./connection.js";
import { Painter } from "./frame.js";
import { Store } from "./state.js";
import { decode, encode, PROTOCOL_VERSION } from "./wire.js";

/**
 * @typedef {import("./wire.js").Config} Config
 * @typedef {{slug: string, topics: string[], configured(config: Config): void,
 *   refused(refusal: import("./wire.js").Refusal): void, stateChanged(): void}} Board a dashboard element
 * @typedef {{topic: string, changed(): void}} Watcher a widget element
 */

const ACK_BEATS = 2;
const ACK_BYTES = 256_000;

export class Page {
  /** @param {string} url the socket's @param {Painter} [painter] @param {any} [surroundings] */
  constructor(url, painter = new Painter(), surroundings = undefined) {
    this.store = new Store();
    this.painter = painter;
    this.connection = new Connection(url, this, surroundings);
    /** @type {Set<Board>} */
    this.boards = new Set();
    /** @type {Set<Watcher>} */
    this.watchers = new Set();
    /** @type {Map<string, (history: import("./wire.js").History | null) => void>} */
    this.asked = new Map();
    this.received = 0;
    this.painted = 0;
    this.acknowledged = 0;
    this.unpaintedBytes = 0;
    /** @type {any} */
    this.ackTimer = null;
    this.code = 0;
    this.clockSkew = 0;
    this.heardAt = 0;
    this.greeting = false;
    this.questions = 0;
  }

  /** @param {Board} board */
  add(board) {
    this.boards.add(board);
    this.greetSoon();
  }

  /** @param {Board} board */
  remove(board) {
    this.boards.delete(board);
    this.greetSoon();
  }

  /** Several elements come and go at once; they are said in one `hello`. */
  greetSoon() {
    if (this.greeting) return;
    this.greeting = true;
    queueMicrotask(() => {
      this.greeting = false;
      if (this.boards.size === 0) this.connection.close();
      else if (this.connection.state === "open") this.hello();
      else this.connection.connect();
    });
  }

  opened() {
    this.received = this.painted = this.acknowledged = this.unpaintedBytes = 0;
    this.hello();
  }

  hello() {
    const boards = [...this.boards];
    this.connection.send(
      encode("hello", {
        versions: [PROTOCOL_VERSION],
        dashboards: [...new Set(boards.map((board) => board.slug).filter(Boolean))],
        topics: [...new Set(boards.flatMap((board) => board.topics))],
        positions: this.store.positions(),
      }),
    );
  }

  /** @param {string} text */
  heard(text) {
    this.received += 1;
    this.heardAt = Date.now();
    const received = this.received;
    this.painter.between(() => this.takeAll(text, received));
  }

  /** @param {string} text @param {number} received it was the so manieth message */
  takeAll(text, received) {
    let asked = false;
    for (const { type, payload } of decode(text)) {
      this.take(type, payload);
      asked ||= type === "status";
    }
    this.unpaintedBytes += text.length;
    this.painter.then(() => this.acknowledgeSoon(received, asked));
  }

  /**
   * The node learns how far the page has painted: when it asks (with a `status`), after much, and now and then.
   * @param {number} messages @param {boolean} asked
   */
  acknowledgeSoon(messages, asked) {
    this.painted = messages;
    if (asked || this.unpaintedBytes > ACK_BYTES) this.acknowledge();
    else this.ackTimer ??= setTimeout(() => this.acknowledge(), this.connection.heartbeatMs * ACK_BEATS);
  }

  acknowledge() {
    clearTimeout(this.ackTimer);
    this.ackTimer = null;
    if (this.painted === this.acknowledged) return;
    this.acknowledged = this.painted;
    this.unpaintedBytes = 0;
    this.connection.send(encode("ack", { messages: this.painted }));
  }

  /** @param {string} type @param {any} payload */
  take(type, payload) {
    if (type === "update") this.update(payload);
    else if (type === "snapshot") this.changed(this.store.topic(payload.topic), (topic) => topic.replace(payload));
    else if (type === "status") this.status(payload);
    else if (type === "config") this.configure(payload);
    else if (type === "history") this.answer(payload.id, payload);
    else if (type === "error") this.refuse(payload);
  }

  /** @param {import("./wire.js").Update} update */
  update(update) {
    const topic = this.store.topic(update.topic);
    this.changed(topic, () => {
      // A hole cannot come from a node that keeps its promises; if it does, say hello again and get it filled.
      if (topic.apply(update) === "gap") this.greetSoon();
    });
  }

  /** @param {import("./state.js").Topic} topic @param {(topic: import("./state.js").Topic) => void} change */
  changed(topic, change) {
    change(topic);
    topic.heard = Date.now();
    for (const watcher of this.watchers) if (watcher.topic === topic.name) watcher.changed();
  }

  /** @param {import("./wire.js").Status} status */
  status(status) {
    if (status.now) this.clockSkew = Date.now() - status.now;
    for (const [name, liveness] of Object.entries(status.topics)) {
      this.changed(this.store.topic(name), (topic) => {
        topic.liveness = liveness;
        topic.commit = Math.max(topic.commit, status.commits[name] ?? 0);
      });
    }
    this.tellBoards();
  }

  /** @param {Config} config */
  configure(config) {
    this.connection.heartbeatMs = config.heartbeat_ms;
    const slug = config.dashboard?.slug ?? "";
    for (const [name, schema] of Object.entries(config.topics)) {
      this.changed(this.store.topic(name), (topic) => (topic.schema = schema));
    }
    for (const board of this.boards) if (board.slug === slug) board.configured(config);
    this.store.keep([...this.watchers].map((watcher) => watcher.topic));
    this.tellBoards();
  }

  /** @param {import("./wire.js").Refusal} refusal */
  refuse(refusal) {
    this.answer(refusal.about, null);
    for (const board of this.boards) if (board.slug === refusal.about || !refusal.about) board.refused(refusal);
  }

  /**
   * @param {string} topic
   * @param {string[]} columns
   * @param {number} start Unix milliseconds
   * @param {number} points at most
   * @returns {Promise<import("./wire.js").History | null>} null if it was refused or the link was lost
   */
  history(topic, columns, start, points) {
    const id = `h${++this.questions}`;
    return new Promise((resolve) => {
      this.asked.set(id, resolve);
      this.connection.send(encode("history", { id, topic, columns, start, points }));
    });
  }

  /** @param {string} id @param {import("./wire.js").History | null} history */
  answer(id, history) {
    this.asked.get(id)?.(history);
    this.asked.delete(id);
  }

  /** @param {import("./connection.js").State} state @param {number} code */
  moved(state, code) {
    this.code = code;
    if (state !== "open") for (const id of [...this.asked.keys()]) this.answer(id, null);
    this.tellBoards();
    for (const watcher of this.watchers) watcher.changed();
  }

  tellBoards() {
    for (const board of this.boards) board.stateChanged();
  }

  /** The node's clock, in Unix milliseconds. */
  now() {
    return Date.now() - this.clockSkew;
  }
}

/** @type {Map<string, Page>} */
const pages = new Map();

/** @param {string} path the socket's, on this origin @returns {Page} the one page for it */
export function pageAt(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const held = pages.get(url.href) ?? new Page(url.href);
  pages.set(url.href, held);
  return held;
}
