import assert from "node:assert/strict";
import { before, beforeEach, test } from "node:test";

import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost/" });
before(() => {
  for (const name of ["document", "HTMLElement", "customElements", "Node", "MouseEvent", "location"]) {
    Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
  }
  globalThis.getComputedStyle = window.getComputedStyle.bind(window);
  globalThis.matchMedia = () => ({ matches: true, addEventListener() {} });
  globalThis.ResizeObserver = class { observe() {} disconnect() {} };
});

const { Topic } = await import("../../../pathway_viz/browser/state.js");
const { Series } = await import("../../../pathway_viz/browser/widgets/series.js");
const { Table, compare } = await import("../../../pathway_viz/browser/widgets/table.js");
const { Stat, coursePath } = await import("../../../pathway_viz/browser/widgets/stat.js");
const { Gauge } = await import("../../../pathway_viz/browser/widgets/gauge.js");
const { level } = await import("../../../pathway_viz/browser/thresholds.js");
const { verdict, widgetVerdict } = await import("../../../pathway_viz/browser/freshness.js");
const { Painter } = await import("../../../pathway_viz/browser/frame.js");
const format = await import("../../../pathway_viz/browser/format.js");

let body;
beforeEach(() => (body = document.createElement("div")));

function topic(kind = "keyed", columns = [["name", "str"], ["total", "float"]]) {
  const made = new Topic("t");
  made.schema = { kind, columns: columns.map(([name, type]) => ({ name, type })), nonfinite: [] };
  return made;
}
const keyed = (rows, offset = 1) => ({ topic: "t", position: `e:1-${offset}`, reason: "join", commit: 1000, rows });
const upserts = (offset, rows, deletes = []) => ({ topic: "t", position: `e:1-${offset}`, commit: 1000 + offset, upserts: rows, deletes });
const config = (options) => ({ title: "T", options });
const cells = () => [...body.querySelectorAll("tbody tr")].map((line) => [...line.children].map((cell) => cell.textContent));

const TABLE = { columns: [], sort_by: "total", descending: true, max_rows: 3, formats: {} };

test("a table keeps its lines by key, in order, and takes deleted ones away", () => {
  const t = topic();
  t.replace(keyed({ a: ["a", 1], b: ["b", 2] }));
  const table = new Table(body, config(TABLE));
  table.paint(t);
  const line = body.querySelectorAll("tbody tr")[1];
  t.apply(upserts(2, { a: ["a", 9], c: ["c", 3] }, ["b"]));
  table.paint(t);
  assert.deepEqual(cells(), [["a", "9"], ["c", "3"]]);
  assert.equal(body.querySelectorAll("tbody tr")[0], line);
});

test("a table sorts by click, and says so", () => {
  const t = topic();
  t.replace(keyed({ a: ["a", 1], b: ["b", 2] }));
  const table = new Table(body, config(TABLE));
  table.paint(t);
  body.querySelector("th button").click();
  assert.deepEqual(cells().map(([name]) => name), ["a", "b"]);
  assert.equal(body.querySelector("th").getAttribute("aria-sort"), "ascending");
});

test("a table shows at most max_rows, and says how many there are", () => {
  const t = topic();
  t.replace(keyed(Object.fromEntries([...Array(50)].map((_, i) => [`k${i}`, [`n${i}`, i]]))));
  new Table(body, config(TABLE)).paint(t);
  assert.equal(cells().length, 3);
  assert.match(body.textContent, /3 of 50 rows/);
});

test("what is in a cell is text, never markup", () => {
  const t = topic();
  t.replace(keyed({ a: ["<img src=x onerror=alert(1)>", 1] }));
  new Table(body, config(TABLE)).paint(t);
  assert.equal(body.querySelector("img"), null);
  assert.equal(cells()[0][0], "<img src=x onerror=alert(1)>");
});

test("nulls come last, digits beyond 2^53 are compared as numbers", () => {
  assert.equal(compare(null, 1, "int"), 1);
  assert.ok(compare("9007199254740993", 3, "int") > 0);
  assert.ok(compare("a10", "a9", "str") > 0);
});

test("a stat shows value, unit and change", () => {
  const t = topic();
  t.replace(keyed({ a: ["a", 10] }));
  const stat = new Stat(body, config({ column: "total", unit: "$", format: ",.2f", delta: true, delta_good: "up", warning: 20, critical: 30 }), {});
  stat.paint(t);
  assert.equal(body.querySelector(".pv-stat-value").textContent, "$10.00");
  t.apply(upserts(2, { a: ["a", 25] }));
  stat.paint(t);
  assert.equal(body.querySelector(".pv-stat-delta").textContent, "▲ 15.00");
  assert.equal(body.querySelector(".pv-stat").dataset.level, "warning");
});

test("a gauge tells its value to those who cannot see it", () => {
  const t = topic();
  t.replace(keyed({ a: ["a", 42] }));
  new Gauge(body, config({ column: "total", min: 0, max: 100, unit: "%", format: "", warning: 70, critical: 90 })).paint(t);
  const meter = body.querySelector("[role=meter]");
  assert.equal(meter.getAttribute("aria-valuetext"), "42%");
  assert.equal(meter.dataset.level, "normal");
});

const CHART = { x: "", y: ["total"], series: "", max_points: 5, window_s: null };

test("a chart's series are bounded, and late points take their place in time", () => {
  const t = topic("append", [["time", "timestamp"], ["total", "float"]]);
  t.replace({ topic: "t", position: "e:1-1", reason: "join", commit: 1, batches: [[1, [[100, 1], [300, 3], [200, 2]]]] });
  const series = new Series({ ...CHART, x: "time" });
  series.take(t);
  assert.deepEqual(series.lines.get("total"), [[100, 1], [200, 2], [300, 3]]);
  t.apply({ topic: "t", position: "e:1-2", commit: 2, rows: [[400, 4], [500, 5], [600, null]] });
  series.take(t);
  assert.deepEqual(series.lines.get("total").at(-1), [600, null]);
  assert.equal(series.lines.get("total").length, 5);
});

test("the past is put before what is there, once", () => {
  const t = topic();
  t.replace(keyed({ a: ["a", 3] }));
  const series = new Series(CHART);
  series.take(t);
  series.recall({ times: [800, 900, 1000], keys: ["a", "a", "a"], columns: { total: [1, 2, 3] } }, t);
  assert.deepEqual(series.lines.get("total"), [[800, 1], [900, 2], [1000, 3]]);
});

test("rows of a keyed topic with a time column are the points themselves", () => {
  const t = topic("keyed", [["at", "timestamp"], ["total", "float"]]);
  t.replace(keyed({ a: [200, 2], b: [100, 1] }));
  const series = new Series({ ...CHART, x: "at" });
  series.take(t);
  t.apply(upserts(2, { a: [200, 9] }, ["b"]));
  series.take(t);
  assert.deepEqual(series.lines.get("total"), [[200, 9]]);
});

test("thresholds know which side is bad", () => {
  assert.equal(level(95, { warning: 70, critical: 90 }), "critical");
  assert.equal(level(15, { warning: 20, critical: 10 }), "warning");
  assert.equal(level(5, { warning: null, critical: 10 }), "normal");
});

test("the state line tells live, idle, stale, reconnecting and refused apart", () => {
  const one = (liveness) => [{ liveness, commit: 1000 }];
  const kinds = ["live", "idle", "stale", "dead"].map((liveness) => verdict("open", 0, one(liveness), 60_000, 0));
  assert.deepEqual(kinds.map(({ kind }) => kind), ["live", "idle", "stale", "dead"]);
  assert.match(kinds[2].text, /59 s ago/);
  assert.match(verdict("waiting", 1006, [], 0, Date.now() - 5000).text, /Reconnecting · shown as of 5 s ago/);
  assert.match(verdict("stopped", 4403, [], 0, 0).text, /may not see/);
});

test("a widget tells by itself live, idle, stale, ended and not connected apart", () => {
  const said = (linked, liveness) => widgetVerdict(linked, { liveness, commit: 1000 }, 60_000).text;
  assert.deepEqual(
    [said(true, "live"), said(true, "idle"), said(true, "stale"), said(true, "dead"), said(false, "live")],
    ["", "idle · 59 s ago", "stale · 59 s ago", "pipeline gone · 59 s ago", "not connected · 59 s ago"],
  );
});

test("numbers, units and ages read as people expect", () => {
  assert.equal(format.withUnit(format.number(1234.5, ",.2f"), "$"), "$1,234.50");
  assert.equal(format.withUnit(format.number(-3, ""), "€"), "−€3");
  assert.equal(format.withUnit(format.number(61_500, ".2~s"), "B/s"), "62 kB/s");
  assert.equal(format.bytes(1536), "1.5 KB");
  assert.equal(format.duration(0.0123), "12.3 ms");
  assert.equal(format.number("9007199254740993"), "9,007,199,254,740,992");
  assert.equal(format.cell(null, "float", "auto"), "–");
});

test("all widgets of a tick are painted in one frame, and one that fails disturbs no other", () => {
  const asked = [];
  const painter = new Painter({ request: (work) => asked.push(work), hidden: () => false });
  const painted = [];
  const failing = { paint() { throw new Error("no"); } };
  const { error } = console;
  console.error = () => {};
  painter.mark(failing);
  painter.mark({ paint: () => painted.push("b") });
  painter.then(() => painted.push("ack"));
  assert.equal(asked.length, 1);
  asked[0]();
  console.error = error;
  assert.deepEqual(painted, ["b", "ack"]);
});

test("what is prepared unseen is spread over frames, and all of it is shown in one", () => {
  let now = 0;
  const [asked, done] = [[], []];
  const painter = new Painter({ request: (work) => asked.push(work), hidden: () => false, now: () => now });
  const widget = (name) => ({ prepare: () => (done.push(`prepare ${name}`), (now += 4)), paint: () => done.push(name) });
  for (const name of ["a", "b", "c"]) painter.mark(widget(name));
  painter.then(() => done.push("ack"));
  const shown = [];
  for (let frames = 0; asked.length; frames += 1) {
    asked.shift()();
    shown.push(done.filter((one) => !one.startsWith("prepare")).join(" "));
    if (frames === 0) painter.between(() => done.push("next commit"));
  }
  assert.deepEqual(shown, ["", "a b c ack next commit"]);
  painter.between(() => done.push("at once"));
  assert.equal(done.at(-1), "at once");
});

test("a page that is hidden, or gets no frames, finishes what it prepares before anything changes", () => {
  for (const late of [false, true]) {
    let [now, hidden] = [0, false];
    const [asked, done] = [[], []];
    const painter = new Painter({ request: (work) => asked.push(work), hidden: () => hidden, now: () => now });
    for (const name of ["a", "b"]) painter.mark({ prepare: () => (now += 7), paint: () => done.push(name) });
    asked.shift()();
    assert.deepEqual(done, []);
    if (late) now += 1000;
    else hidden = true;
    painter.between(() => done.push("next commit"));
    assert.deepEqual(done, ["a", "b", "next commit"]);
    for (const frame of asked) frame();
    assert.deepEqual(done, ["a", "b", "next commit"]);
  }
});

test("a widget that goes while a commit is prepared is not painted", () => {
  let now = 0;
  const [asked, done] = [[], []];
  const painter = new Painter({ request: (work) => asked.push(work), hidden: () => false, now: () => now });
  const [goes, stays] = ["goes", "stays"].map((name) => ({ prepare: () => (now += 7), paint: () => done.push(name) }));
  painter.mark(goes);
  painter.mark(stays);
  asked.shift()();
  painter.forget(goes);
  while (asked.length) asked.shift()();
  assert.deepEqual(done, ["stays"]);
});

test("a page rests three times as long as it has painted, but not for ever", () => {
  let now = 0;
  const [asked, rests] = [[], []];
  const later = (work, ms) => (rests.push(ms), work());
  const painter = new Painter({ request: (work) => asked.push(work), hidden: () => false, now: () => now, later });
  const slow = (ms) => ({ paint: () => (now += ms) });
  painter.mark(slow(20));
  asked.pop()();
  now += 10;
  painter.mark(slow(500));
  assert.deepEqual(rests, [50]);
  asked.pop()();
  painter.mark(slow(1));
  assert.deepEqual(rests, [50, 250]);
  asked.pop()();
  now += 1000;
  painter.mark(slow(1));
  assert.equal(rests.length, 2);
});

test("a sparkline is a path, and nothing for fewer than two values", () => {
  assert.equal(coursePath([1]), "");
  assert.match(coursePath([1, 2, 3]), /^M0\.00,26\.00L50/);
});
