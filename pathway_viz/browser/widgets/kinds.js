/** The kinds of widgets, by name: the same names as in Python. Charts are loaded where one is shown. */

import { ChartLoader } from "./chart-loader.js";
import { Gauge } from "./gauge.js";
import { Stat } from "./stat.js";
import { Table } from "./table.js";

/**
 * @typedef {object} View what a kind draws
 * @property {(topic: import("../state.js").Topic) => void} paint draw the topic as it stands now
 * @property {(topic: import("../state.js").Topic) => void} [prepare] do what takes long before `paint`, unseen
 * @property {() => void} [resize]
 * @property {() => void} [destroy]
 *
 * @typedef {(body: HTMLElement, config: import("../wire.js").WidgetConfig, page: import("../page.js").Page) => View} Kind
 */

/** @type {Record<string, Kind>} */
export const KINDS = {
  stat: (body, config, page) => new Stat(body, config, page),
  gauge: (body, config) => new Gauge(body, config),
  chart: (body, config, page) => new ChartLoader(body, config, page),
  table: (body, config) => new Table(body, config),
};
