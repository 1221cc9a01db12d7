"""A worker without an engine: the real sources and publishing thread, fed at a given rate."""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import Any, Self

from pathway_viz.bus.types import BusOptions
from pathway_viz.pipeline.encode import text_key
from pathway_viz.pipeline.options import PipelineOptions
from pathway_viz.pipeline.publish import PublishingThread
from pathway_viz.pipeline.source import Source
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.widgets import DashboardSpec, WidgetSpec

KEYS = 100
REGIONS = Topic(
    name="regions",
    title="Regions",
    kind=TopicKind.KEYED,
    columns=(
        Column(name="region", type=ColumnType.INT),
        Column(name="total", type=ColumnType.INT),
    ),
    worker="feeder",
)
EVENTS = Topic(
    name="events",
    title="Events",
    kind=TopicKind.APPEND,
    columns=(Column(name="number", type=ColumnType.INT),),
    worker="feeder",
)
SPEC = DashboardSpec(
    slug="shop",
    title="Shop",
    worker="feeder",
    visibility="public",
    widgets=(
        WidgetSpec(name="regions", kind="table", topic="regions", title="Regions", options={}),
        WidgetSpec(
            name="events", kind="chart", topic="events", title="Events", options={"y": ["number"]}
        ),
    ),
)


class Feeder:
    """Feeds a keyed and an append topic, every commit a change of both.

    ``regions`` and ``events`` are the truth: what the publisher has been told.
    """

    def __init__(self, options: BusOptions, rate: float = 200.0, **told: Any) -> None:
        lock = threading.RLock()
        self.options = PipelineOptions(
            redis_url=options.url, prefix=options.prefix, worker="feeder", **told
        )
        self.thread = PublishingThread(self.options, lock)
        limit = self.options.buffer_rows
        more: dict[str, Any] = {"key": text_key, "lock": lock}
        self._keyed = Source(REGIONS, limit=limit, wake=self.thread.wake, **more)
        self._append = Source(EVENTS, limit=limit, wake=self.thread.wake, **more)
        self.regions: dict[str, list[int]] = {}
        self.events = 0
        self.rate = rate
        self._lock = lock
        self._stop = threading.Event()
        self._feeding = threading.Thread(target=self._feed, daemon=True)
        self.thread.add(self._keyed)
        self.thread.add(self._append)
        self.thread.declare([SPEC])

    def __enter__(self) -> Self:
        self.thread.start()
        self.commit()
        assert self.thread.flush(10)
        self._feeding.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()
        self.thread.stop()

    def pause(self) -> None:
        """Feed no more; what was fed is still published."""
        self._stop.set()
        if self._feeding.is_alive():
            self._feeding.join()

    def commit(self) -> None:
        """One change of each topic, seen together."""
        self.events += 1
        key = random.randrange(KEYS)
        deleted = str(key) in self.regions and random.random() < 0.1
        with self._lock:
            time_ms = int(time.time() * 1000)
            self._keyed.change((key,), (key, self.events), is_addition=not deleted)
            self._append.change((), (self.events,), is_addition=True)
            self._keyed.end_commit(time_ms)
            self._append.end_commit(time_ms)
        if deleted:
            del self.regions[str(key)]
        else:
            self.regions[str(key)] = [key, self.events]

    def _feed(self) -> None:
        start = time.monotonic()
        for number in itertools.count(1):
            if self._stop.is_set():
                return
            self.commit()
            ahead = start + number / self.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


if __name__ == "__main__":
    import signal
    import sys

    url, prefix, *numbers = sys.argv[1:]
    rate, log_entries = [*numbers, *(200, 20_000)[len(numbers) :]]
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    options = BusOptions(url=url, prefix=prefix)
    with Feeder(options, rate=float(rate), log_entries=int(log_entries)):
        print("fed", flush=True)
        ended.wait()
