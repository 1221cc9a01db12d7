"""What every fault test ends with: the viewer's state is the publisher's, and nothing is left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pathway_viz.bus.connect import MOST_CONNECTIONS
from tests.feeder import Feeder
from tests.nodes import Node, Viewer

TASKS, FILES = 8, 4  # of a node that nobody watches: housekeeping; the database, a request


def spell(seconds: float) -> float:
    """How long a fault lasts: ``seconds``, or a tenth of it where QUICK is set (for developers)."""
    return max(2.0, seconds / 10) if os.environ.get("QUICK") else seconds


def shop(node: Node, **more: Any) -> Any:
    """A viewer of the feeder's dashboard."""
    return Viewer.at(node, dashboards=["shop"], **more)


def numbers(viewer: Viewer) -> list[int]:
    """The events that the viewer holds."""
    return [row[0] for row in viewer.events.get("events", [])]


def agrees(viewer: Viewer, feeder: Feeder) -> bool:
    """Whether the viewer holds the publisher's state."""
    held = dict(viewer.rows.get("regions", {}).items())
    return held == feeder.regions and numbers(viewer)[-1:] == [feeder.events]


async def until_agreed(viewer: Viewer, feeder: Feeder, timeout: float = 20) -> None:
    """The feeder stops; the viewer comes to hold its state, all events of it in a row."""
    await asyncio.to_thread(feeder.pause)
    await viewer.until(lambda v: agrees(v, feeder), timeout)
    seen = numbers(viewer)
    assert seen == list(range(seen[0], seen[0] + len(seen))), "events are missing or twice"


@asynccontextmanager
async def nothing_left(node: Node) -> AsyncIterator[None]:
    """After the block the node holds what it held before: no task, viewer, topic or socket more."""
    before = await asyncio.to_thread(node.census)
    yield
    deadline = asyncio.get_running_loop().time() + 15
    while True:
        held = await asyncio.to_thread(node.census)
        more = held["files"] - before["files"]
        if not held["viewers"] and held["tasks"] <= TASKS and more <= MOST_CONNECTIONS + FILES:
            break
        assert asyncio.get_running_loop().time() < deadline, (before, held)
        await asyncio.sleep(0.1)
    assert (held["topics"], held["audiences"]) == ([], 0), held
