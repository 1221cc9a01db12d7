/** The page's one WebSocket: connects, notices silence, connects again. Knows nothing of topics. */

import { backoff, jitter } from "./backoff.js";
import { reaction } from "./wire.js";

/** @typedef {"idle" | "connecting" | "open" | "waiting" | "stopped"} State */

/** @type {Record<State, State[]>} */
const LEGAL = {
  idle: ["connecting"],
  connecting: ["open", "waiting", "stopped", "idle"],
  open: ["waiting", "stopped", "idle"],
  waiting: ["connecting", "idle"],
  stopped: ["connecting", "idle"],
};
const SILENT_BEATS = 3;
const GREETING_MS = 15_000;
const STABLE_MS = 10_000;

/**
 * @typedef {object} Surroundings what a test replaces
 * @property {(url: string) => WebSocket} open
 * @property {() => number} random
 * @property {() => number} now milliseconds
 * @property {(work: () => void, ms: number) => any} later
 * @property {(timer: any) => void} cancel
 */

/** @type {Surroundings} */
const BROWSER = {
  open: (url) => new WebSocket(url),
  random: Math.random,
  now: () => performance.now(),
  later: (work, ms) => setTimeout(work, ms),
  cancel: (timer) => clearTimeout(timer),
};

export class Connection {
  /**
   * @param {string} url
   * @param {{opened(): void, heard(text: string): void, moved(state: State, code: number): void}} owner
   * @param {Surroundings} surroundings
   */
  constructor(url, owner, surroundings = BROWSER) {
    this.url = url;
    this.owner = owner;
    this.world = surroundings;
    /** @type {State} */
    this.state = "idle";
    this.heartbeatMs = GREETING_MS / SILENT_BEATS;
    this.attempt = 0;
    this.openedAt = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {any} */
    this.retry = null;
    /** @type {any} */
    this.silence = null;
  }

  /** Connect now, whatever was being waited for. */
  connect() {
    if (this.state === "connecting" || this.state === "open") return;
    this.world.cancel(this.retry);
    this.move("connecting");
    const socket = this.world.open(this.url);
    this.socket = socket;
    const mine = () => this.socket === socket;
    socket.onopen = () => mine() && this.opened();
    socket.onmessage = (event) => mine() && this.heard(event.data);
    socket.onclose = (event) => mine() && this.closed(event.code);
    this.listen();
  }

  /** Close for good, until `connect` is called again. */
  close() {
    this.forget();
    this.world.cancel(this.retry);
    if (this.state !== "idle") this.move("idle");
  }

  /** @param {string} text */
  send(text) {
    if (this.state === "open") this.socket?.send(text);
  }

  opened() {
    this.openedAt = this.world.now();
    this.move("open");
    this.owner.opened();
  }

  /** @param {string} text */
  heard(text) {
    this.listen();
    this.owner.heard(text);
  }

  /** @param {number} code */
  closed(code) {
    this.forget();
    const what = reaction(code);
    if (what === "stop") return this.move("stopped", code);
    if (this.state === "open" && this.world.now() - this.openedAt > STABLE_MS) this.attempt = 0;
    const { random } = this.world;
    const wait = what === "again" ? jitter(random) : backoff(this.attempt++, random);
    this.move("waiting", code);
    this.retry = this.world.later(() => this.connect(), wait);
  }

  /** A dead link looks like silence: nothing for three heartbeats, and it is given up. */
  listen() {
    this.world.cancel(this.silence);
    this.silence = this.world.later(() => this.closed(1006), this.heartbeatMs * SILENT_BEATS);
  }

  forget() {
    this.world.cancel(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {State} state @param {number} [code] */
  move(state, code = 0) {
    if (!LEGAL[this.state].includes(state)) {
      throw new Error(`a connection that is ${this.state} cannot be ${state}; expected ${LEGAL[this.state]}`);
    }
    this.state = state;
    this.owner.moved(state, code);
  }
}
