/** Loads the chart, and ECharts with it, only where a chart is shown. */

export class ChartLoader {
  /**
   * @param {HTMLElement} body
   * @param {import("../wire.js").WidgetConfig} config
   * @param {import("../page.js").Page} page
   */
  constructor(body, config, page) {
    this.destroyed = false;
    import("./chart.js").then(({ Chart }) => {
      if (this.destroyed) return;
      this.chart = new Chart(body, config, page);
      if (this.topic) this.chart.paint(this.topic);
    });
  }

  /** @param {import("../state.js").Topic} topic */
  prepare(topic) {
    this.chart?.prepare(topic);
  }

  /** @param {import("../state.js").Topic} topic */
  paint(topic) {
    this.topic = topic;
    this.chart?.paint(topic);
  }

  resize() {
    this.chart?.resize();
  }

  destroy() {
    this.destroyed = true;
    this.chart?.destroy();
  }
}
