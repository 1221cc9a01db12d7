"""The ten promises of docs/architecture.md, each by its number, on every ASGI server."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions, Refused
from pathway_viz.topics import Keys
from pathway_viz.wire import Position
from tests.feeder import KEYS, Feeder
from tests.nodes import Node, Site, Viewer
from tests.people import sign_in
from tests.pipelines import COUNTS, Worker
from tests.servers import RedisServer
from tests.shop import Shop


def watch(node: Node, **more: Any) -> Any:
    return Viewer.at(node, dashboards=["shop"], **more)


def resume(node: Node, left: Viewer) -> Any:
    """Come back with the positions that a viewer had."""
    return watch(node, positions=left.positions)


def take_over(viewer: Viewer, left: Viewer) -> None:
    """Hold what the viewer that left held, as a page does that reconnects."""
    viewer.topics = left.topics


async def test_promise_1_a_viewers_state_is_the_publishers_at_one_position_and_never_goes_back(
    node: Node, bus_options: BusOptions, shop: Shop
) -> None:
    """Whatever a viewer shows, the publisher was there once; the link is cut again and again."""
    truth: dict[str, list[Any]] = {"eu": ["eu", 0]}
    history = {}
    with redis.Redis.from_url(bus_options.url) as client:
        async with watch(node) as viewer:
            await viewer.until(lambda v: len(v.positions) == 2)
            history[viewer.positions["regions"]] = dict(truth)
            shown: list[str] = []

            def look(viewer: Viewer) -> bool:
                at = viewer.positions["regions"]
                if at not in history:
                    return False  # not noted yet
                assert viewer.rows["regions"] == history[at]
                shown.append(at)
                return at == last

            for number in range(300):
                region = random.choice("abcde")
                if region in truth and number % 5 == 0:
                    del truth[region]
                    last = await asyncio.to_thread(shop.drop, region)
                else:
                    truth[region] = [region, number]
                    last = await asyncio.to_thread(shop.set, region, number)
                history[last] = dict(truth)
                if number % 60 == 59:
                    client.client_kill_filter(_type="pubsub")
                if number % 10 == 0:
                    await viewer.until(look)
            await viewer.until(look)
    places = [Position.parse(at) for at in shown]
    assert all(b.offset >= a.offset for a, b in pairwise(places))
    assert len(set(shown)) > 30


async def test_promise_2_the_last_change_of_a_key_arrives_and_no_row_is_lost_silently(
    node: Node, bus_options: BusOptions
) -> None:
    """Most of what an absent viewer missed has left the log: what it shows and skipped add up."""
    with redis.Redis.from_url(bus_options.url) as client, Feeder(bus_options) as feeder:
        async with watch(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
        left = feeder.events
        while feeder.events < left + 300:
            await asyncio.sleep(0.05)
        client.xtrim(Keys(bus_options.prefix).log("events"), maxlen=3, approximate=False)
        async with resume(node, viewer) as again:
            take_over(again, viewer)
            await again.until(lambda v: len(v.of("update")) > 20)
            await asyncio.to_thread(feeder.pause)
            await again.until(lambda v: v.rows["regions"] == feeder.regions)
            await again.until(lambda v: v.counts["events"] == feeder.events)
            assert [(s["topic"], s["reason"]) for s in again.of("snapshot")] == [("events", "gap")]
            assert again.skipped["events"] > 200


async def test_promise_3_any_node_gives_exactly_what_was_missed_or_a_snapshot_with_its_reason(
    site: Site, node: Node, bus_options: BusOptions
) -> None:
    """Through both servers in turn, under load, with new joins in between: never a hole."""
    nodes = [node, site.node("daphne"), site.node("uvicorn")]
    with Feeder(bus_options, rate=500) as feeder:
        async with watch(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
        for number in range(6):
            async with resume(nodes[number % 3], viewer) as again:
                take_over(again, viewer)
                await again.until(lambda v: len(v.of("update")) > 5)
                assert again.of("snapshot") == []
            viewer = again
        assert viewer.skipped.get("events", 0) == 0
        viewer.topics["regions"].position = Position.parse("another1:1-1")
        async with resume(node, viewer) as again:
            take_over(again, viewer)
            await again.until(lambda v: bool(v.of("snapshot")))
            assert [(s["topic"], s["reason"]) for s in again.of("snapshot")] == [
                ("regions", "epoch")
            ]
        assert feeder.events > 100


async def test_promise_4_log_state_and_position_change_at_once_and_share_a_hash_slot(
    bus_options: BusOptions,
) -> None:
    """Read at any moment, the log ends where the topic stands, and the state holds its last row."""
    keys = Keys(bus_options.prefix)
    with redis.Redis.from_url(bus_options.url) as client, Feeder(bus_options, rate=2000):
        seen = set()
        while len(seen) < 30:
            pipeline = client.pipeline(transaction=True)
            pipeline.hmget(keys.meta("regions"), "ms", "offset")
            pipeline.xrevrange(keys.log("regions"), count=1)
            pipeline.hgetall(keys.rows("regions"))
            (ms, offset), [(last, fields)], rows = pipeline.execute()
            assert last == ms + b"-" + offset
            upserts = json.loads(b"{" + fields.get(b"b", b"") + b"}")
            held = {json.loads(key): json.loads(row) for key, row in rows.items()}
            assert {key: held.get(key) for key in upserts} == upserts
            seen.add(last)
        slots = {client.execute_command("CLUSTER KEYSLOT", key) for key in keys.all_of("regions")}
        assert len(slots) == 1


async def test_promise_5_what_fills_a_queue_is_dropped_by_a_policy_that_has_a_name(
    site: Site, bus_options: BusOptions
) -> None:
    """The pipeline's buffer skips and says how many; a viewer's outbox lags and says so."""
    site.environment["PATHWAYVIZ_TEST_SETTINGS"] = '{"OUTBOX_BYTES": 20000}'
    node = site.node("uvicorn")
    with Feeder(bus_options, rate=2000, buffer_rows=1000) as feeder:
        async with watch(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
            read = asyncio.get_running_loop().time() + 3
            while asyncio.get_running_loop().time() < read:  # it reads, but paints nothing
                try:
                    async with asyncio.timeout(0.3):
                        viewer.take(await viewer.link.recv())
                except TimeoutError:
                    continue
            sent = sum(len(json.dumps(envelope)) for envelope in viewer.heard)
            assert sent < 200_000, "more was sent than an outbox holds"
            await viewer.say("ack", {"messages": viewer.messages})
            await viewer.until(lambda v: v.of("snapshot")[-1]["reason"] == "lag")
            with redis.Redis.from_url(bus_options.url) as client:
                client.config_set("maxmemory", "1")
                full = feeder.events
                while feeder.events < full + 5000:
                    await asyncio.sleep(0.05)
                client.config_set("maxmemory", "0")
            await viewer.until(lambda v: v.skipped.get("events", 0) > 0, 20)
            await asyncio.to_thread(feeder.pause)
            await viewer.until(lambda v: v.counts["events"] == feeder.events, 20)


async def test_promise_6_the_pipeline_waits_for_nobody_and_is_whole_again_by_itself(
    site: Site, bus_options: BusOptions, prefix: str
) -> None:
    server = RedisServer("valkey")
    server.start()
    options = BusOptions(url=server.url, prefix=prefix)
    site.environment["PATHWAYVIZ_TEST_REDIS"] = server.url
    node = site.node("uvicorn")
    with Feeder(options, rate=500) as feeder:
        async with watch(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            stood = feeder.events
            while feeder.events < stood + 1000:  # at the rate that it has: it waits for nothing
                await asyncio.sleep(0.05)
            server.process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(feeder.pause)
            await viewer.until(lambda v: v.rows["regions"] == feeder.regions, 20)
            server.clear()  # and nothing changes any more
            before = len(viewer.of("snapshot"))
            await viewer.until(lambda v: len(v.of("snapshot")) >= before + 2, 20)
            await viewer.until(lambda v: v.rows["regions"] == feeder.regions, 20)
            assert len(feeder.regions) > KEYS // 2
    server.remove()


def shown(viewer: Viewer) -> set[int]:
    return {row[0] for rows in viewer.rows.values() for row in rows.values()}


async def test_promise_7_all_widgets_fed_by_one_pipeline_show_the_same_commit(
    node: Node, bus_options: BusOptions, tmp_path: Path
) -> None:
    with Worker(tmp_path, bus_options, COUNTS) as worker:
        await worker.until_published("shallow", "deep", "deeper")
        async with Viewer.at(node, dashboards=["counts"]) as viewer:
            seen: list[set[int]] = []

            def look(viewer: Viewer) -> bool:
                if len(viewer.rows) == 3:
                    seen.append(shown(viewer))
                return len(seen) > 60

            await viewer.until(look, 30)
    assert [counts for counts in seen if len(counts) > 1] == []
    assert len({max(counts) for counts in seen}) > 40


async def test_promise_8_a_second_publisher_is_refused_or_takes_over_once_the_first_is_dead(
    node: Node, bus_options: BusOptions, shop: Shop
) -> None:
    topics = [Shop.REGIONS, Shop.EVENTS]
    second = Publisher(bus_options, owner="the other shop")
    refused = second.claim(topics)
    assert [type(outcome) for outcome in refused] == [Refused, Refused]
    assert {outcome.owner for outcome in refused} == {"the shop"}
    async with watch(node) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        with redis.Redis.from_url(bus_options.url) as client:  # its lease has run out
            client.hset(Keys(bus_options.prefix).meta("regions"), "heartbeat", 1)
        assert second.claim([Shop.REGIONS]) == []
        with pytest.raises(AssertionError):  # the first one is told that it lost the topic
            shop.set("us", 13)
        taken = Shop.__new__(Shop)
        taken.publisher = second
        last = taken.set("us", 14)
        await viewer.until(lambda v: v.positions["regions"] == last)
        assert viewer.rows["regions"]["us"] == ["us", 14]


async def test_promise_9_a_node_is_killed_at_any_time_and_nothing_is_lost_with_it(
    site: Site, node: Node, bus_options: BusOptions
) -> None:
    nodes = [node, *(site.node(node.server) for _ in range(3))]
    left: Viewer | None = None
    with Feeder(bus_options, rate=500) as feeder:
        for doomed in nodes:
            positions = left.positions if left else {}
            async with watch(doomed, positions=positions) as viewer:
                if left:
                    take_over(viewer, left)
                await viewer.until(lambda v: len(v.of("update")) > 5)
                assert len(viewer.of("snapshot")) == (0 if left else 2)
                if doomed is nodes[-1]:
                    await asyncio.to_thread(feeder.pause)
                    await viewer.until(lambda v: v.rows["regions"] == feeder.regions)
                    await viewer.until(lambda v: v.counts["events"] == feeder.events)
                else:
                    doomed.kill()
                    await viewer.until_closed()
            left = viewer
    events = [number for (number,) in viewer.events["events"]]
    assert events == list(range(events[0], feeder.events + 1))


async def test_promise_10_what_a_viewer_may_not_see_is_never_sent_and_a_lost_right_closes(
    site: Site, node: Node, bus_options: BusOptions
) -> None:
    shop = Shop(bus_options, "restricted")
    await asyncio.to_thread(node.get, "/live/")  # it carries over what is declared
    stranger, ann = sign_in(site, "stranger"), sign_in(site, "ann")
    site.shell("Dashboard.objects.get().users.add(User.objects.get(username='ann'))")
    async with watch(node, cookie=stranger) as viewer:
        assert await viewer.until_closed() == 4403
        assert {envelope["type"] for envelope in viewer.heard} == {"error"}
    async with watch(node, cookie=ann) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        await asyncio.to_thread(site.shell, "Dashboard.objects.get().users.clear()")
        assert await viewer.until_closed(timeout=5) == 4403
        shop.set("us", 1)
        await viewer.until_closed()  # what was under way when it closed
        assert viewer.of("update") == []
