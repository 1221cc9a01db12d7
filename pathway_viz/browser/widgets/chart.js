/** chart: lines or areas over a time axis that scrolls. */

import { LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";

import { element, token } from "../dom.js";
import { number, time as clockTime, withUnit } from "../format.js";
import { HeldRenderer, hold, show } from "./held-canvas.js";
import { Series } from "./series.js";

use([LineChart, GridComponent, TooltipComponent, DataZoomComponent, LegendComponent, MarkLineComponent, HeldRenderer]);

const SUMMARY_MS = 5_000;
const PALETTE_SIZE = 10;

export class Chart {
  /**
   * @param {HTMLElement} body
   * @param {import("../wire.js").WidgetConfig} config
   * @param {import("../page.js").Page} page
   */
  constructor(body, config, page) {
    this.options = config.options;
    this.title = config.title;
    this.page = page;
    this.canvas = element("div", { class: "pv-chart", tabindex: "0", role: "img", "aria-label": config.title });
    this.reset = element("button", { class: "pv-chart-reset", type: "button", hidden: "" }, "Reset zoom");
    body.replaceChildren(this.canvas, this.reset);
    this.chart = init(this.canvas, null, { renderer: /** @type {any} */ ("held") });
    this.prepared = false;
    this.series = new Series(/** @type {any} */ (this.options));
    this.zoomed = false;
    this.pointed = -1;
    this.summarised = 0;
    this.drawn = "";
    this.chart.setOption(this.frame());
    this.listen();
  }

  listen() {
    this.chart.on("datazoom", () => this.zoomChanged());
    this.reset.addEventListener("click", () => this.chart.dispatchAction({ type: "dataZoom", start: 0, end: 100 }));
    this.canvas.addEventListener("keydown", (event) => this.step(event));
    this.canvas.addEventListener("blur", () => this.chart.dispatchAction({ type: "hideTip" }));
  }

  destroy() {
    this.chart.dispose();
  }

  resize() {
    this.chart.resize();
  }

  /** All but what is seen of it. @param {import("../state.js").Topic} topic */
  prepare(topic) {
    const anew = this.series.take(topic);
    if (anew && topic.isKeyed && !this.options.x) this.recall(topic);
    hold(this.chart);
    this.draw();
    this.prepared = true;
  }

  /** @param {import("../state.js").Topic} topic */
  paint(topic) {
    if (!this.prepared) this.prepare(topic);
    this.prepared = false;
    show(this.chart);
  }

  /** @param {import("../state.js").Topic} topic */
  async recall(topic) {
    const { y, series, window_s: back, max_points: points } = this.options;
    const start = this.page.now() - (back ?? 3600) * 1000;
    const past = await this.page.history(topic.name, [...y, ...(series ? [series] : [])], start, points);
    if (!past || this.chart.isDisposed()) return;
    this.series.recall(past, topic);
    this.draw();
  }

  draw() {
    const names = [...this.series.lines.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    const { window_s: back } = this.options;
    const newest = this.series.newest;
    const left = back && Number.isFinite(newest) ? newest - back * 1000 : null;
    const xAxis = { min: left ?? "dataMin", max: Number.isFinite(newest) ? newest : null };
    if (names.join() === this.drawn) {
      const series = names.map((name) => ({ id: name, data: this.series.lines.get(name) }));
      this.chart.setOption({ xAxis, series }, { lazyUpdate: false, silent: true });
    } else {
      this.drawn = names.join();
      this.drawAnew(names, xAxis);
    }
    this.summarise(names);
  }

  /** The lines are other ones: much dearer than new points for those there are. @param {string[]} names @param {any} xAxis */
  drawAnew(names, xAxis) {
    const many = names.length > 1;
    this.chart.setOption(
      {
        grid: { top: many ? 34 : 12 },
        legend: { show: many, data: names },
        xAxis,
        series: names.map((name, i) => this.line(name, i)),
      },
      { replaceMerge: ["series"], lazyUpdate: false, silent: true },
    );
  }

  /** @param {string} name @param {number} i */
  line(name, i) {
    const area = this.options.style === "area";
    return {
      id: name,
      name,
      type: "line",
      data: this.series.lines.get(name),
      color: token(`--pv-series-${(i % PALETTE_SIZE) + 1}`),
      stack: this.options.stacked ? "all" : undefined,
      areaStyle: area ? { opacity: this.options.stacked ? 0.5 : 0.14 } : undefined,
      lineStyle: { width: this.series.lines.size > 4 ? 1.25 : 1.75 },
      showSymbol: false,
      animation: false,
      sampling: this.options.stacked ? undefined : "lttb",
      connectNulls: false,
      markLine: i === 0 ? this.thresholds() : undefined,
      emphasis: { disabled: true },
    };
  }

  thresholds() {
    const lines = ["warning", "critical"]
      .filter((name) => this.options[name] !== null && this.options[name] !== undefined)
      .map((name) => ({ yAxis: this.options[name], lineStyle: { color: token(`--pv-${name}`), type: "dashed" } }));
    return { silent: true, symbol: "none", label: { show: false }, data: lines, animation: false };
  }

  /** What does not change with the data. */
  frame() {
    const [muted, border, text, surface] = ["--pv-muted", "--pv-border", "--pv-text", "--pv-raised"].map(token);
    const font = { color: muted, fontSize: 11, fontFamily: token("--pv-font") };
    const show = (/** @type {any} */ value) => withUnit(number(value, this.options.format), this.options.unit);
    return {
      animation: false,
      textStyle: { fontFamily: token("--pv-font") },
      grid: { left: 8, right: 14, bottom: 4, top: 12, containLabel: true },
      xAxis: {
        type: "time",
        axisLine: { lineStyle: { color: border } },
        axisTick: { show: false },
        axisLabel: { ...font, hideOverlap: true },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        scale: this.options.y_min === null,
        min: this.options.y_min ?? undefined,
        max: this.options.y_max ?? undefined,
        interval: this.options.y_min !== null && this.options.y_max !== null ? (this.options.y_max - this.options.y_min) / 4 : undefined,
        splitNumber: 4,
        axisLabel: { ...font, formatter: show },
        splitLine: { lineStyle: { color: border, opacity: 0.7 } },
      },
      legend: { type: "scroll", top: 0, left: 4, right: 4, icon: "roundRect", itemWidth: 10, itemHeight: 3, textStyle: font, pageIconColor: muted, pageTextStyle: font },
      tooltip: {
        trigger: "axis",
        renderMode: "richText", // an HTML tooltip would need inline styles
        confine: true,
        transitionDuration: 0,
        backgroundColor: surface,
        borderColor: border,
        textStyle: { color: text, fontSize: 12 },
        axisPointer: { lineStyle: { color: muted, width: 1 } },
        formatter: (/** @type {any[]} */ points) => tooltip(points, show),
      },
      dataZoom: [{ type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, minValueSpan: 1000 }],
    };
  }

  zoomChanged() {
    const [{ start, end }] = /** @type {any} */ (this.chart.getOption()).dataZoom;
    this.zoomed = start > 0 || end < 100;
    this.reset.hidden = !this.zoomed;
  }

  /** Arrow keys move the tooltip. @param {KeyboardEvent} event */
  step(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const length = [...this.series.lines.values()][0]?.length ?? 0;
    if (!move || !length) return;
    event.preventDefault();
    this.pointed = Math.min(length - 1, Math.max(0, (this.pointed < 0 ? length : this.pointed) + move));
    this.chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: this.pointed });
  }

  /** A chart in words, for who cannot see it; not at every tick. @param {string[]} names */
  summarise(names) {
    if (Date.now() - this.summarised < SUMMARY_MS) return;
    this.summarised = Date.now();
    const values = names.slice(0, 8).map((name) => {
      const last = this.series.lines.get(name)?.at(-1)?.[1];
      return `${name} ${withUnit(number(last, this.options.format), this.options.unit)}`;
    });
    this.canvas.setAttribute("aria-label", `${this.title}: ${values.join(", ")}`);
  }
}

const MOST_IN_TOOLTIP = 12;

/** @param {any[]} points @param {(value: any) => string} show */
function tooltip(points, show) {
  if (!points.length) return "";
  const sorted = [...points].sort((a, b) => (b.value[1] ?? -Infinity) - (a.value[1] ?? -Infinity));
  const lines = sorted.slice(0, MOST_IN_TOOLTIP).map((point) => `${point.marker} ${point.seriesName}  ${show(point.value[1])}`);
  const rest = sorted.length - lines.length;
  return [clockTime(points[0].value[0]), ...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
}
