"""Redis killed, emptied, paused, full, failing over, cut off: numbers are those of docs/faults.md."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import redis

from pathway_viz.bus.connect import connect
from pathway_viz.bus.types import BusOptions
from pathway_viz.wire import Position
from tests.faults.watching import agrees, nothing_left, numbers, shop, spell, until_agreed
from tests.feeder import Feeder
from tests.nodes import Node, Site, free_port
from tests.servers import RedisServer


async def test_01_redis_is_killed_mid_stream_and_comes_back(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 20)
            server.crash()
            await viewer.until(
                lambda v: any("stale" in s["topics"].values() for s in v.of("status")), 5
            )
            await asyncio.to_thread(server.start)
            before = len(viewer.of("update"))
            await viewer.until(lambda v: len(v.of("update")) > before + 20)
            await until_agreed(viewer, feeder)


async def test_02_redis_is_emptied_under_load(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            for _ in range(3):
                before = len(viewer.of("update"))
                await viewer.until(lambda v, n=before: len(v.of("update")) > n + 20)
                server.clear()
            before = len(viewer.of("snapshot"))
            await viewer.until(lambda v: len(v.of("snapshot")) > before)
            assert viewer.of("snapshot")[-1]["reason"] == "epoch"
            await until_agreed(viewer, feeder)


async def test_04_a_replica_is_promoted_that_lacks_the_last_writes(
    site: Site, server: RedisServer, prefix: str
) -> None:
    """Everybody knows Redis by one address, as behind a proxy; it comes to mean the replica."""
    replica = replica_of(server)
    address = Path(tempfile.mkdtemp(prefix="pv-")) / "redis.sock"
    address.symlink_to(server.socket)
    options = BusOptions(url=f"unix://{address}", prefix=prefix)
    site.environment.update(PATHWAYVIZ_TEST_REDIS=options.url, PATHWAYVIZ_TEST_PREFIX=prefix)
    node = site.node("uvicorn")
    with Feeder(options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 20)
            with connect(replica.url) as client:
                client.replicaof("NO", "ONE")  # from here on it hears nothing more
            await viewer.until(lambda v: len(v.of("update")) > 60)
            server.crash()
            address.unlink()
            address.symlink_to(replica.socket)
            ahead = viewer.positions["regions"]
            before = len(viewer.of("snapshot"))
            await viewer.until(lambda v: len(v.of("snapshot")) > before, 20)
            await until_agreed(viewer, feeder)
            assert viewer.of("snapshot")[-1]["reason"] == "epoch"
            assert Position.parse(viewer.positions["regions"]).epoch != Position.parse(ahead).epoch
    replica.remove()
    shutil.rmtree(address.parent)


def replica_of(server: RedisServer) -> RedisServer:
    """A second server that has caught up with the first."""
    port = free_port()
    with connect(server.url) as client:
        client.config_set("port", str(port))
    replica = RedisServer("valkey", "--replicaof", f"127.0.0.1 {port}")
    replica.start()
    with connect(replica.url) as client:
        while client.info("replication")["master_link_status"] != "up":  # type: ignore[index]
            time.sleep(0.02)
    return replica


async def test_05_subscriptions_are_killed_every_200_ms_at_10000_updates_a_second(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with Feeder(bus_options, rate=10_000) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            stop = threading.Event()

            def kill() -> None:
                with redis.Redis.from_url(server.url) as client:
                    while not stop.wait(0.2):
                        client.client_kill_filter(_type="pubsub")

            killing = threading.Thread(target=kill)
            killing.start()
            end = time.monotonic() + spell(30)
            await viewer.until(lambda _: time.monotonic() > end, 60)
            stop.set()
            killing.join()
            await until_agreed(viewer, feeder)
            assert viewer.skipped.get("events", 0) == 0


async def test_06_a_node_is_stopped_until_redis_cuts_it_off(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("client-output-buffer-limit", "pubsub 100kb 50kb 1")
        with Feeder(bus_options, rate=5000) as feeder:
            async with nothing_left(node), shop(node) as viewer:
                await viewer.until(lambda v: len(v.of("update")) > 10)
                node.process.send_signal(signal.SIGSTOP)
                async with asyncio.timeout(30):
                    while any(int(c["sub"]) > 3 for c in client.client_list(_type="pubsub")):
                        await asyncio.sleep(0.1)
                node.process.send_signal(signal.SIGCONT)
                await until_agreed(viewer, feeder)
                assert viewer.skipped.get("events", 0) == 0


async def test_07_memory_runs_out_then_a_log_and_a_meta_are_evicted(
    node: Node, bus_options: BusOptions, server: RedisServer, site: Site
) -> None:
    prefix = site.options.prefix
    with redis.Redis.from_url(server.url) as client, Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 10)
            client.config_set("maxmemory", "1")
            await asyncio.sleep(1.5)  # what is measured: that time passes with Redis full
            client.config_set("maxmemory", "0")
            before = len(viewer.of("update"))
            await viewer.until(lambda v: len(v.of("update")) > before + 10)
            for key in ("{events}:log", "{regions}:rows", "{regions}:meta", "{events}:meta"):
                before = len(viewer.of("snapshot"))
                client.delete(f"{prefix}:{key}")
                await viewer.until(lambda v, n=before: len(v.of("snapshot")) > n)
            await until_agreed(viewer, feeder)


async def test_07_a_full_redis_evicts_whatever_it_likes(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    """Its own policy throws out keys at random: logs, rows and metas, again and again."""
    with redis.Redis.from_url(server.url) as client, Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 10)
            client.config_set("maxmemory-policy", "allkeys-random")
            for _ in range(5):
                before, thrown = len(viewer.of("snapshot")), evicted(client)
                client.config_set("maxmemory", "1")
                while evicted(client) == thrown:
                    await asyncio.sleep(0.01)
                client.config_set("maxmemory", "0")
                await viewer.until(lambda v, n=before: len(v.of("snapshot")) > n, 20)
            await until_agreed(viewer, feeder)


def evicted(client: redis.Redis) -> int:
    """How many keys the server has thrown out so far."""
    return int(client.info("stats")["evicted_keys"])  # type: ignore[index]


async def test_09_scripts_are_flushed_under_load(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with redis.Redis.from_url(server.url) as client, Feeder(bus_options, rate=2000) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            for _ in range(40):
                client.script_flush()
                before = len(viewer.of("update"))
                await viewer.until(lambda v, n=before: len(v.of("update")) > n)
            assert len(viewer.of("snapshot")) == 2
            await until_agreed(viewer, feeder)


async def test_a_paused_redis_is_shown_as_stale_within_five_seconds_and_recovers(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 10)
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            await viewer.until(
                lambda v: any("stale" in s["topics"].values() for s in v.of("status")), 5
            )
            await asyncio.sleep(6)  # beyond every timeout
            server.process.send_signal(signal.SIGCONT)
            await until_agreed(viewer, feeder, 30)


async def test_13_redis_is_away_while_the_pipeline_runs_at_10000_updates_a_second(
    node: Node, bus_options: BusOptions, server: RedisServer
) -> None:
    """The feeder keeps its rate; its buffer of events is bounded, and what was dropped is told."""
    with Feeder(bus_options, rate=10_000, buffer_rows=20_000) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 10)
            server.crash()
            fed, start = feeder.events, time.monotonic()
            await asyncio.sleep(spell(60))
            without = (feeder.events - fed) / (time.monotonic() - start)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(feeder.pause)
            await viewer.until(lambda v: agrees(v, feeder), 30)
            assert without > 9000
            assert viewer.skipped["events"] > 0
            assert len(numbers(viewer)) + viewer.skipped["events"] == feeder.events
