/** ECharts' canvas renderer, which can be told to show nothing new for a while: `init(…, {renderer: "held"})`. */

import CanvasPainter from "zrender/lib/canvas/Painter.js";

export class HeldCanvas extends CanvasPainter {
  held = false;

  /** @param {any} [what] */
  refresh(what) {
    return this.held ? this : super.refresh(what);
  }
}

/** For ECharts' `use`. @param {any} registers */
export function HeldRenderer(registers) {
  registers.registerPainter("held", HeldCanvas);
}

/** @param {import("echarts/core").ECharts} chart */
export function hold(chart) {
  canvasOf(chart).held = true;
}

/** Show all that has changed since `hold`. @param {import("echarts/core").ECharts} chart */
export function show(chart) {
  canvasOf(chart).held = false;
  chart.getZr().refreshImmediately(true);
}

/** @param {import("echarts/core").ECharts} chart @returns {HeldCanvas} */
function canvasOf(chart) {
  return /** @type {any} */ (chart.getZr().painter);
}
