/**
 * One paint for all widgets of a tick: at most one per animation frame, none while hidden.
 *
 * A page rests for three times as long as it has painted, so that it never takes more than a quarter of the main
 * thread; what comes meanwhile is painted together, still all in one frame.
 */

const REST = 3;
const LONGEST_REST_MS = 250;

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
    /** @type {Set<{paint(): void}>} */
    this.dirty = new Set();
    /** @type {(() => void)[]} */
    this.after = [];
    this.asked = false;
  }

  /** @param {{paint(): void}} widget @param {boolean} [first] it shows nothing yet: it does not wait for a rest */
  mark(widget, first = false) {
    this.dirty.add(widget);
    if (first) this.rested = 0;
    this.ask();
  }

  /** Run `work` once what is marked now is painted; at once while nothing is painted. @param {() => void} work */
  then(work) {
    if (this.hidden() || this.dirty.size === 0) return work();
    this.after.push(work);
    this.ask();
  }

  /** @param {{paint(): void}} widget */
  forget(widget) {
    this.dirty.delete(widget);
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    const request = () => this.request(() => this.paint());
    const rest = this.rested - this.now();
    if (rest > 0) this.later(request, rest);
    else request();
  }

  paint() {
    this.asked = false;
    const start = this.now();
    const [widgets, after] = [[...this.dirty], this.after];
    this.dirty.clear();
    this.after = [];
    for (const widget of widgets) attempt(() => widget.paint());
    for (const work of after) work();
    const end = this.now();
    this.rested = end + Math.min(LONGEST_REST_MS, REST * (end - start));
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
