"""Redis killed, emptied, paused, full, failing over, cut off: numbers are those of docs/faults.md."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import redis

from pathway_viz.bus.types import BusOptions
from tests.faults.watching import agrees, nothing_left, numbers, shop, spell, until_agreed
from tests.feeder import Feeder
from tests.nodes import Node, Site
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
    node: Node, bus_options: BusOptions, server: RedisServer, site: Site
) -> None:
    """The replica's data file is an older one: as after a failover to a replica that lagged."""
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 20)
            with redis.Redis.from_url(server.url) as client:
                held = {
                    key: client.dump(key) for key in client.scan_iter(f"{site.options.prefix}:*")
                }
            await viewer.until(lambda v: len(v.of("update")) > 60)
            with redis.Redis.from_url(server.url) as client:
                pipeline = client.pipeline()
                for key, value in held.items():
                    pipeline.restore(key, 0, value, replace=True)
                pipeline.execute()
            before = len(viewer.of("snapshot"))
            await viewer.until(lambda v: len(v.of("snapshot")) > before)
            await until_agreed(viewer, feeder)


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
            shown = numbers(viewer)
            assert viewer.skipped["events"] > 0
            assert len(shown) + viewer.skipped["events"] <= feeder.events
