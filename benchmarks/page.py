"""What a busy page costs a browser: 20 widgets at 20 ticks a second in a real Chromium."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from playwright.sync_api import Browser

from benchmarks.measure import node, row, site
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions, Change
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.widgets import DashboardSpec, WidgetSpec
from tests.chromium import PAINTED
from tests.servers import RedisServer

HZ, SECONDS, ROWS = 20, 15.0, 50
# Frames that were painted and the longest task of the main thread, in a span of milliseconds.
WATCH = """async (ms) => {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  let frames = 0;
  for (const end = performance.now() + ms; performance.now() < end; frames += 1) await new Promise(requestAnimationFrame);
  observer.disconnect();
  return { frames: frames / ms * 1000, longest: Math.max(0, ...tasks) };
}"""
TOTALS = Topic(
    name="totals",
    title="Totals",
    kind=TopicKind.KEYED,
    columns=(
        Column(name="region", type=ColumnType.STR),
        Column(name="total", type=ColumnType.FLOAT),
        Column(name="count", type=ColumnType.INT),
    ),
)
SERIES = Topic(
    name="series",
    title="Series",
    kind=TopicKind.APPEND,
    columns=tuple(Column(name=f"y{n}", type=ColumnType.FLOAT) for n in range(4)),
)


def widgets() -> Iterator[WidgetSpec]:
    """Eight charts, six stats, four gauges and two tables."""
    for number in range(8):
        yield _widget("chart", number, "series", y=[f"y{number % 4}"])
    for number in range(6):
        yield _widget("stat", number, "series", column=f"y{number % 4}", sparkline=True)
    for number in range(4):
        yield _widget("gauge", number, "series", column=f"y{number}", max=100)
    for number in range(2):
        yield _widget("table", number, "totals")


def _widget(kind: str, number: int, topic: str, **options: Any) -> WidgetSpec:
    name = f"{kind}-{number}"
    return WidgetSpec(name=name, kind=kind, topic=topic, title=name, options=options)


@contextmanager
def busy(options: BusOptions) -> Iterator[None]:
    """A worker whose every topic changes HZ times a second."""
    publisher, stop = Publisher(options, owner="bench", worker="bench"), threading.Event()
    publisher.claim([TOTALS, SERIES])
    publisher.declare([TOTALS, SERIES])
    spec = DashboardSpec(
        slug="busy", title="Busy", worker="bench", visibility="public", widgets=tuple(widgets())
    )
    publisher.declare_dashboards("bench", [spec])

    def change(number: int) -> None:
        now = int(time.time() * 1000)
        upserts = {
            b'"r%d"' % n: b'["r%d",%.2f,%d]' % (n, (n * 37 + number) % 1000 / 7, number)
            for n in range(ROWS)
        }
        values = b",".join(b"%.2f" % (50 + 49 * ((number * k) % 97 / 97)) for k in (1, 3, 5, 7))
        publisher.publish(
            [
                Change(topic="totals", kind=TopicKind.KEYED, commit=now, upserts=upserts),
                Change(topic="series", kind=TopicKind.APPEND, commit=now, rows=(b"[%s]" % values,)),
            ]
        )
        if number % HZ == 0:
            publisher.heartbeat(["totals", "series"])

    def go_on() -> None:
        number = 1
        while not stop.wait(1 / HZ):
            number += 1
            change(number)

    change(1)
    changing = threading.Thread(target=go_on)
    changing.start()
    try:
        yield
    finally:
        stop.set()
        changing.join()


def renderers() -> list[psutil.Process]:
    """The processes of this process's Chromium that run pages."""
    family = psutil.Process().children(recursive=True)
    return [one for one in family if any("--type=renderer" in word for word in one.cmdline())]


def measured(server: RedisServer, browser: Browser) -> tuple[float, float, float, float]:
    """Frames/s, longest task (ms), cores of the page's process, of its main thread."""
    with site(server) as (place, options), busy(options):
        place.environment["PATHWAYVIZ_TEST_STATIC"] = "1"
        with node(place) as (_, port):
            page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
            while (answer := page.goto(f"http://127.0.0.1:{port}/live/busy/")) is None or (
                answer.status != 200
            ):
                time.sleep(0.2)
            page.wait_for_function(PAINTED)
            page.wait_for_timeout(5000)
            tools = page.context.new_cdp_session(page)
            tools.send("Performance.enable")
            used, busy_s = cores(renderers()), task_seconds(tools)
            start = time.monotonic()
            found = page.evaluate(WATCH, SECONDS * 1000)
            took = time.monotonic() - start
            used, busy_s = cores(renderers()) - used, task_seconds(tools) - busy_s
            if picture := os.environ.get("BENCH_PICTURE"):
                page.screenshot(path=picture)
            page.context.close()
    return found["frames"], found["longest"], used / took, busy_s / took


def cores(processes: list[psutil.Process]) -> float:
    """CPU seconds of processes so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def task_seconds(tools: Any) -> float:
    """How long the page's main thread has worked so far."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


def results(server: RedisServer, browser: Browser) -> list[dict[str, Any]]:
    """All rows; one long look."""
    frames, longest, whole, main = measured(server, browser)
    print(f"  page: {frames:.1f} frames/s, {longest:.0f} ms, {whole:.2f}, {main:.2f} cores",
          file=sys.stderr, flush=True)  # fmt: skip
    where = "20 widgets at 20 ticks/s"
    return [
        row(f"{where}, frames painted", frames, "per s", "", None, "≥ 59"),
        row(f"{where}, longest task", longest, "ms", "", None, "≤ 50"),
        row(f"{where}, main thread", main, "cores", "", None, "≤ 0.5"),
        row(f"{where}, the page's process", whole, "cores", "", None, "≤ 0.5"),
    ]
