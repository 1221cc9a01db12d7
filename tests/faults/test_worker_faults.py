"""Workers that are killed, doubled and restarted, with and without Pathway's persistence."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from pathway_viz.bus.types import BusOptions
from tests.faults.watching import nothing_left, shop
from tests.feeder import Feeder
from tests.nodes import Node, Site, Viewer
from tests.pipelines import Worker
from tests.servers import RedisServer, started

ORDERS = """
class Order(pw.Schema):
    region: str
    amount: int
orders = pw.io.jsonlines.read(
    sys.argv[1] if len(sys.argv) > 1 else os.environ["ORDERS"], schema=Order, mode="streaming",
    name="orders", autocommit_duration_ms=20,
)
totals = orders.groupby(pw.this.region).reduce(
    pw.this.region, total=pw.reducers.sum(pw.this.amount), n=pw.reducers.count()
)
pv.dashboard("orders", title="Orders", visibility="public")
pv.table(totals, topic="totals", title="totals")
pv.stat(totals.reduce(n=pw.reducers.sum(pw.this.n)), "n", topic="count", title="count")
persistence = os.environ.get("PERSISTENCE")
more = {}
if persistence:
    backend = pw.persistence.Backend.filesystem(persistence)
    more["persistence_config"] = pw.persistence.Config(backend, snapshot_interval_ms=100)
pv.run(**more)
"""


class Orders:
    """Files of orders, and what they add up to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.totals: dict[str, list[Any]] = {}
        self._files = 0

    def add(self, count: int) -> None:
        self._files += 1
        lines = []
        for number in range(count):
            region = ("eu", "us", "asia")[number % 3]
            lines.append(json.dumps({"region": region, "amount": number}))
            held = self.totals.setdefault(region, [region, 0, 0])
            held[1] += number
            held[2] += 1
        part = self.directory / f".{self._files}"
        part.write_text("\n".join(lines) + "\n")
        part.rename(self.directory / f"{self._files:04}.jsonl")

    def shown_by(self, viewer: Viewer) -> bool:
        rows = sorted(viewer.rows.get("totals", {}).values())
        count = list(viewer.rows.get("count", {}).values())
        return rows == sorted(self.totals.values()) and count == [
            [sum(n for _, _, n in self.totals.values())]
        ]


def never_blank(viewer: Viewer) -> bool:
    """Whether no snapshot took away what was there (a worker that restores shows it whole)."""
    return all(s["rows"] for s in viewer.of("snapshot") if s["topic"] == "totals")


async def test_03_redis_is_emptied_and_the_worker_restarts_with_persistence(
    site: Site, bus_options: BusOptions, server: RedisServer, tmp_path: Path
) -> None:
    node, orders = site.node("uvicorn"), Orders(tmp_path / "in")
    orders.add(30)
    told = {"ORDERS": str(orders.directory), "PERSISTENCE": str(tmp_path / "state")}
    with Worker(tmp_path, bus_options, ORDERS, **told) as worker:
        await worker.until_published("totals", "count")
        async with nothing_left(node), Viewer.at(node, dashboards=["orders"]) as viewer:
            await viewer.until(orders.shown_by)
            await asyncio.sleep(1)  # a checkpoint
            worker.end()
            server.clear()
            worker.start()
            await viewer.until(lambda v: len(v.of("snapshot")) >= 4, 30)
            await viewer.until(orders.shown_by, 20)
            assert viewer.of("snapshot")[-1]["reason"] == "epoch"
            assert never_blank(viewer)
            orders.add(31)
            await viewer.until(orders.shown_by, 20)


async def test_11_a_worker_is_killed_between_publishing_and_its_checkpoint(
    site: Site, bus_options: BusOptions, tmp_path: Path
) -> None:
    node, orders = site.node("uvicorn"), Orders(tmp_path / "in")
    orders.add(30)
    told = {"ORDERS": str(orders.directory), "PERSISTENCE": str(tmp_path / "state")}
    with Worker(tmp_path, bus_options, ORDERS, **told) as worker:
        await worker.until_published("totals", "count")
        async with nothing_left(node), Viewer.at(node, dashboards=["orders"]) as viewer:
            for count in (7, 8, 9):
                orders.add(count)
                await viewer.until(orders.shown_by, 30)
                worker.end()  # just after it was published
                worker.start()
            await viewer.until(
                lambda v: [s["topics"].get("totals") for s in v.of("status")][-1] == "live", 30
            )
            await viewer.until(orders.shown_by, 30)
            assert never_blank(viewer)


async def test_a_worker_that_restarts_without_persistence_publishes_everything_again(
    site: Site, bus_options: BusOptions, tmp_path: Path
) -> None:
    node, orders = site.node("uvicorn"), Orders(tmp_path / "in")
    orders.add(30)
    told = {"ORDERS": str(orders.directory)}
    with Worker(tmp_path, bus_options, ORDERS, **told) as worker:
        await worker.until_published("totals", "count")
        async with nothing_left(node), Viewer.at(node, dashboards=["orders"]) as viewer:
            await viewer.until(orders.shown_by)
            worker.end()
            await viewer.until(
                lambda v: any("dead" in s["topics"].values() for s in v.of("status")), 6
            )
            worker.start()
            orders.add(5)
            await viewer.until(orders.shown_by, 30)
            assert never_blank(viewer)


async def test_12_of_two_workers_on_the_same_topics_one_publishes_and_the_other_takes_over(
    node: Node, bus_options: BusOptions, tmp_path: Path
) -> None:
    first = started(
        [sys.executable, "-m", "tests.feeder", bus_options.url, bus_options.prefix],
        stdout=-1,
    )
    assert first.stdout is not None
    await asyncio.to_thread(first.stdout.readline)
    try:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 10)
            epoch = viewer.positions["regions"].split(":")[0]
            second = Feeder(bus_options)
            second.thread.start()
            second._feeding.start()
            before = len(viewer.of("update"))
            await viewer.until(lambda v: len(v.of("update")) > before + 50)
            assert viewer.positions["regions"].split(":")[0] == epoch, "two publishers mixed"
            first.send_signal(signal.SIGKILL)
            first.wait()
            await viewer.until(lambda v: v.positions["regions"].split(":")[0] != epoch, 20)
            await asyncio.to_thread(second.pause)
            await viewer.until(lambda v: v.rows["regions"] == second.regions, 20)
            second.thread.stop()
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
