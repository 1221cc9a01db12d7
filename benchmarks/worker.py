"""A pipeline of 100 keys: with an empty callback, or published; prints wall and CPU seconds.

``worker.py empty|published ROWS RATE`` (RATE 0: as fast as it goes).
"""

from __future__ import annotations

import sys
import time

import pathway as pw

import pathway_viz as pv


def main(mode: str, rows: int, rate: float) -> None:
    """Run the pipeline until its input ends."""

    class Rows(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            start = time.perf_counter()
            for number in range(rows):
                self.next(key=number % 100, value=float(number))
                if rate and number % 100 == 0:
                    time.sleep(max(0.0, start + number / rate - time.perf_counter()))

    class Schema(pw.Schema):
        key: int
        value: float

    source = pw.io.python.read(Rows(), schema=Schema, autocommit_duration_ms=50)
    totals = source.groupby(pw.this.key).reduce(
        pw.this.key, total=pw.reducers.sum(pw.this.value), n=pw.reducers.count()
    )
    if mode == "empty":
        for table in (source, totals):
            pw.io.subscribe(table, on_change=lambda key, row, time, is_addition: None)  # noqa: ARG005
    else:
        pv.chart(source, x=None, y="value", topic="rows")
        pv.table(totals, topic="totals")
        pv.start()
    wall, used = time.perf_counter(), time.process_time()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(time.perf_counter() - wall, time.process_time() - used)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
