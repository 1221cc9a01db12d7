/**
 * One paint for all widgets of a tick: in one animation frame, so that they show the same commits; none while hidden.
 *
 * What a widget can prepare unseen is spread over as many frames as it needs, so that the page stays smooth; then all
 * of it is shown in one. A page rests for three times as long as it has painted, so that it never takes more than a
 * quarter of the main thread; what comes meanwhile is painted together.
 */

const REST = 3;
const LONGEST_REST_MS = 250;
const LONGEST_ROUND_MS = 500;
const FRAME_MS = 6; // so much of a frame may be spent on preparing

/** @typedef {{paint(): void, prepare?(): void}} Painted a widget: `prepare` may be called before, and must not be seen */

export class Painter {
  /**
   * @param {{request?: (work: () => void) => void, hidden?: () => boolean, now?: () => number,
   *   later?: (work: () => void, ms: number) => void}} [world]
   */
  constructor({
    request = (work) => requestAnimationFrame(work),
    hidden = () => document.hidden,
    now = () => performance.now(),
    later = (work, ms) => setTimeout(work, ms),
  } = {}) {
    this.request = request;
    this.hidden = hidden;
    this.now = now;
    this.later = later;
    this.rested = 0;
    /** @type {Set<Painted>} */
    this.dirty = new Set();
    /** @type {Round | null} */
    this.round = null;
    /** @type {(() => void)[]} */
    this.after = [];
    this.asked = false;
  }

  /** @param {Painted} widget @param {boolean} [first] it shows nothing yet: it does not wait for a rest */
  mark(widget, first = false) {
    this.dirty.add(widget);
    if (first) this.rested = 0;
    this.ask();
  }

  /** Run `work` once what is marked now is painted; at once while nothing is painted. @param {() => void} work */
  then(work) {
    if (this.hidden() || (this.dirty.size === 0 && !this.round)) return work();
    this.after.push(work);
    this.ask();
  }

  /** Run `work`, which changes what is painted: now, or when the round under way has been shown. @param {() => void} work */
  between(work) {
    if (this.round && (this.hidden() || this.now() - this.round.begun > LONGEST_ROUND_MS)) this.finish(this.round);
    if (this.round) this.after.push(work);
    else work();
  }

  /** @param {Painted} widget */
  forget(widget) {
    this.dirty.delete(widget);
    this.round?.forget(widget);
  }

  ask() {
    if (this.asked || this.round) return;
    this.asked = true;
    const request = () => this.request(() => this.begin());
    const rest = this.rested - this.now();
    if (rest > 0) this.later(request, rest);
    else request();
  }

  begin() {
    this.asked = false;
    this.round = new Round(this.dirty, this.now());
    this.dirty = new Set();
    this.go(this.round);
  }

  /** One frame's share of a round. @param {Round} round */
  go(round) {
    if (this.round !== round) return; // it was finished without a frame
    const start = this.now();
    while (round.prepare() && this.now() - start < FRAME_MS);
    const spent = this.now() - start;
    if (spent < FRAME_MS) return this.finish(round);
    round.spent += spent;
    this.request(() => this.go(round));
  }

  /** @param {Round} round */
  finish(round) {
    const start = this.now();
    while (round.prepare());
    round.show();
    this.round = null;
    const after = this.after;
    this.after = [];
    const end = this.now();
    this.rested = end + Math.min(LONGEST_REST_MS, REST * (round.spent + end - start));
    for (const work of after) work();
    if (this.dirty.size) this.ask();
  }
}

/** What is painted together. */
class Round {
  /** @param {Set<Painted>} widgets @param {number} begun */
  constructor(widgets, begun) {
    this.begun = begun;
    this.spent = 0;
    this.widgets = widgets;
    this.unprepared = [...widgets].filter((widget) => widget.prepare);
  }

  /** Prepare one widget; false if there is none left. */
  prepare() {
    const next = this.unprepared.pop();
    if (next) attempt(() => next.prepare?.());
    return next !== undefined;
  }

  show() {
    for (const widget of this.widgets) attempt(() => widget.paint());
  }

  /** @param {Painted} widget */
  forget(widget) {
    this.widgets.delete(widget);
    this.unprepared = this.unprepared.filter((one) => one !== widget);
  }
}

/** One widget that fails must not keep the others from being painted. @param {() => void} work */
function attempt(work) {
  try {
    work();
  } catch (error) {
    console.error("pathway_viz: a widget could not be painted", error);
  }
}
