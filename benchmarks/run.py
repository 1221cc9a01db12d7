"""`make bench`: the figures of the docs, as ratios against a reference of the same run.

Prints a table and writes ``benchmarks/results.json``: a list of
``{name, value, unit, reference, ratio, target, ok}``.
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

from benchmarks import delivery
from tests.chromium import PAINTED, chromium
from tests.demo import Demo

ROUNDS = 3
RESULTS = Path(__file__).parent / "results.json"
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
    """From the command to the first painted value; from opening the page to it; ages of values."""
    start = time.perf_counter()
    with Demo() as demo:
        page = browser.new_page()
        opened = time.perf_counter()
        page.goto(demo.address)
        page.wait_for_function(PAINTED)
        painted = time.perf_counter()
        ages = page.evaluate(LATENCY)
        page.close()
    return painted - start, painted - opened, ages


def result(name: str, value: float, unit: str, target: str, **more: Any) -> dict[str, Any]:
    """One row; ``more`` holds reference and ratio."""
    bound = float(target.rsplit(maxsplit=1)[-1])
    ok = (more["ratio"] if "×" in target else value) <= bound
    return {"name": name, "value": round(value, 3), "unit": unit, "reference": None, "ratio": None,
            **more, "target": target, "ok": ok}  # fmt: skip


def main() -> None:
    """Measure in alternating rounds, and write what was found."""
    references, starts, paints, ages = [], [], [], []
    os.environ["PATHWAYVIZ_BENCH"] = "1"
    with chromium() as browser:
        for _ in range(ROUNDS):
            references.append(seconds(REFERENCE))
            start, paint, seen = first_value(browser)
            starts.append(start)
            paints.append(paint)
            ages += seen
    imports = [seconds(ROOT_IMPORT) for _ in range(5)]
    reference, start = statistics.median(references), statistics.median(starts)
    rows = [
        result("command to first painted value", start, "s", "× ≤ 2",
               reference=f"import pathway + django.setup(): {reference:.2f} s",
               ratio=round(start / reference, 2)),
        result("page opened to all widgets painted", statistics.median(paints), "s", "≤ 1"),
        result("reading to painted, median", statistics.median(ages), "ms", "≤ 150"),
        result("import pathway_viz", statistics.median(imports), "s", "≤ 0.1"),
        *delivery.results(ROUNDS),
    ]  # fmt: skip
    RESULTS.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in rows:
        ratio = f"{row['ratio']}×" if row["ratio"] else ""
        print(
            f"{row['name']:38} {row['value']:>9} {row['unit']:3} {ratio:7} {row['target']:8} {row['ok']}"
        )


if __name__ == "__main__":
    main()
