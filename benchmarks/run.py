"""`make bench`: the figures of the docs, as ratios against a reference of the same run.

Prints a table and writes ``benchmarks/results.json``: a list of
``{name, value, unit, reference, ratio, target, ok}``. ``run.py slopes`` draws the docs' plots.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling at every start takes time and memory

from benchmarks import frame, page, scale
from benchmarks.measure import keep_a_core_free, row
from benchmarks.plot import draw
from tests.chromium import PAINTED, chromium
from tests.demo import Demo
from tests.servers import RedisServer

ROUNDS = 3
RESULTS = Path(__file__).parent / "results.json"
PLOT = Path(__file__).parents[1] / "docs/images/slopes.svg"
REFERENCE = """
import os, time
start = time.perf_counter()
import pathway
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
print(time.perf_counter() - start)
"""
ROOT_IMPORT = """
import time
start = time.perf_counter()
import pathway_viz
print(time.perf_counter() - start)
"""
# From the publisher's clock in the frame to the animation frame after which it is on the screen.
LATENCY = """async () => {
  const board = document.querySelector('pv-dashboard');
  const store = board.page.store;
  const topic = [...store.topics.values()].find((t) => t.name === 'cpu-by-core');
  const ages = [];
  for (let seen = topic.count; ages.length < 60; ) {
    await new Promise(requestAnimationFrame);
    if (topic.count === seen) continue;
    seen = topic.count;
    const at = topic.index('time');
    ages.push(Date.now() - Date.parse(topic.latest.row[at].slice(0, 23) + 'Z'));
  }
  return ages;
}"""


def seconds(code: str) -> float:
    """The time a fresh process measures, in seconds."""
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def first_value(browser: Any) -> tuple[float, float, list[float]]:
    """From the command to the first painted value; the same for a page of its own later; ages.

    The first page waits for the pipeline's first commits, too. The later one has an empty cache.
    """
    start = time.perf_counter()
    with Demo() as demo:
        page = browser.new_page()
        page.goto(demo.address)
        page.wait_for_function(PAINTED)
        began = time.perf_counter() - start
        ages = page.evaluate(LATENCY)
        page.close()
        page = browser.new_page()
        opened = time.perf_counter()
        page.goto(demo.address)
        page.wait_for_function(PAINTED)
        painted = time.perf_counter() - opened
        page.close()
    return began, painted, ages


def starting(browser: Any) -> list[dict[str, Any]]:
    """How long people wait for the first time, and from then on."""
    references, starts, paints, ages = [], [], [], []
    os.environ["PATHWAYVIZ_BENCH"] = "1"
    for _ in range(ROUNDS):
        references.append(seconds(REFERENCE))
        start, paint, seen = first_value(browser)
        starts.append(start)
        paints.append(paint)
        ages += seen
    imports = [seconds(ROOT_IMPORT) for _ in range(5)]
    reference = statistics.median(references)
    return [
        row("command to first painted value", statistics.median(starts), "s",
            f"import pathway + django.setup(), {reference:.2f} s", reference, "× ≤ 2"),
        row("page opened to all widgets painted", statistics.median(paints), "s", "", None, "≤ 1"),
        row("reading to painted, median", statistics.median(ages), "ms", "", None, "≤ 150"),
        row("import pathway_viz", statistics.median(imports), "s", "", None, "≤ 0.1"),
    ]  # fmt: skip


def main() -> None:
    """Measure everything, and write what was found."""
    server = RedisServer("valkey")
    with chromium() as browser:
        rows = starting(browser)
        server.start()
        rows += page.results(server, browser)
    server.stop()
    keep_a_core_free()  # a server that is measured gets it for itself
    server.start()
    rows += frame.results(server, ROUNDS)
    rows += scale.results(server, ROUNDS)
    server.remove()
    RESULTS.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for found in rows:
        ratio = f"{found['ratio']}×" if found["ratio"] else ""
        print(
            f"{found['name']:44} {found['value']:>10} {found['unit']:6} {ratio:7} "
            f"{found['target']:8} {'' if found['ok'] is None else found['ok']}"
        )


def slopes() -> None:
    """Draw how the cost of a node grows."""
    keep_a_core_free()
    server = RedisServer("valkey")
    server.start()
    found = scale.slopes(server)
    server.remove()
    print(json.dumps(found))
    draw(found, PLOT)


if __name__ == "__main__":
    slopes() if sys.argv[1:] == ["slopes"] else main()
