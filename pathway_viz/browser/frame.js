/** One paint for all widgets of a tick: at most one per animation frame, none while hidden. */

export class Painter {
  /** @param {{request?: (work: () => void) => void, hidden?: () => boolean}} [world] */
  constructor({ request = (work) => requestAnimationFrame(work), hidden = () => document.hidden } = {}) {
    this.request = request;
    this.hidden = hidden;
    /** @type {Set<{paint(): void}>} */
    this.dirty = new Set();
    /** @type {(() => void)[]} */
    this.after = [];
    this.asked = false;
  }

  /** @param {{paint(): void}} widget */
  mark(widget) {
    this.dirty.add(widget);
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
    this.request(() => this.paint());
  }

  paint() {
    this.asked = false;
    const [widgets, after] = [[...this.dirty], this.after];
    this.dirty.clear();
    this.after = [];
    for (const widget of widgets) attempt(() => widget.paint());
    for (const work of after) work();
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
