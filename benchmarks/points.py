"""A worker that publishes a numeric series, one point a frame: ``points.py URL PREFIX COUNT``."""

from __future__ import annotations

import sys
import threading
import time

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions, Change
from pathway_viz.topics import TopicKind
from tests.shop import Shop

AT_ONCE = 200


def main(url: str, prefix: str, count: int) -> None:
    """Publish ``count`` points of (milliseconds, value), say so, and wait to be ended."""
    shop = Shop(BusOptions(url=url, prefix=prefix, log_entries=2 * count))
    for first in range(0, count, AT_ONCE):
        publish(shop.publisher, first)
    print("published", flush=True)
    threading.Event().wait()


def publish(publisher: Publisher, first: int) -> None:
    """One batch of frames, in one transaction."""
    now = time.time_ns() // 1_000_000
    numbers = range(first, first + AT_ONCE)
    rows = (b"[%d,%.3f]" % (now, 20 + number % 7919 / 1000) for number in numbers)
    publisher.publish(
        [Change(topic="events", kind=TopicKind.APPEND, commit=now, rows=(row,)) for row in rows]
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
