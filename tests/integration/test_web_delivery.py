"""Delivery through a real node on every ASGI server: exact, in order, without a hole."""

from __future__ import annotations

import asyncio
import json
from itertools import count

import pytest
import websockets

from pathway_viz.bus.connect import connect
from pathway_viz.bus.types import BusOptions
from pathway_viz.topics import Keys
from tests.nodes import Node, Site, Viewer
from tests.shop import Shop


async def test_a_viewer_gets_config_then_snapshots_then_updates(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        last = shop.set("us", 5)
        await viewer.until(lambda v: v.positions["regions"] == last)
    kinds = [envelope["type"] for envelope in viewer.heard]
    assert kinds[:3] == ["config", "snapshot", "snapshot"]
    assert [w["name"] for w in viewer.of("config")[0]["dashboard"]["widgets"]] == [
        "regions",
        "total",
        "events",
    ]
    assert viewer.rows["regions"] == {"eu": ["eu", 0], "us": ["us", 5]}


async def test_nothing_is_missed_while_joining_under_load(node: Node, shop: Shop) -> None:
    done = asyncio.Event()

    async def publish() -> None:
        for number in count(1):
            await asyncio.to_thread(shop.happen, number)
            if done.is_set():
                return

    load = asyncio.create_task(publish())
    for _ in range(5):
        async with Viewer.at(node, dashboards=["shop"]) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 20)
            seen = [number for (number,) in viewer.events["events"]]
            assert seen == list(range(seen[0], seen[0] + len(seen)))
    done.set()
    await load


async def test_a_viewer_resumes_on_another_node_with_exactly_what_it_missed(
    site: Site, node: Node, shop: Shop
) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
    shop.set("us", 1)
    shop.drop("eu")
    last = shop.happen(1, 2)
    other = site.node("uvicorn")
    async with Viewer.at(other, dashboards=["shop"], positions=viewer.positions) as again:
        again.topics = viewer.topics
        await again.until(lambda v: v.positions["events"] == last)
        assert again.of("snapshot") == []
        assert len(again.of("update")) == 3
        assert again.rows["regions"] == {"us": ["us", 1]}
        assert again.events["events"] == [[0], [1], [2]]


@pytest.mark.parametrize("reason", ["epoch", "gap"])
async def test_what_cannot_be_resumed_is_a_snapshot_with_its_reason(
    node: Node, shop: Shop, bus_options: BusOptions, reason: str
) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
    if reason == "epoch":
        shop.set("us", 1, replace=True)
    else:
        for number in range(5):
            shop.set("us", number)
        with connect(bus_options.url) as client:
            client.xtrim(Keys(bus_options.prefix).log("regions"), maxlen=1, approximate=False)
    async with Viewer.at(node, dashboards=["shop"], positions=viewer.positions) as again:
        await again.until(lambda v: bool(v.of("snapshot")))
        assert [s["reason"] for s in again.of("snapshot")] == [reason]


async def test_a_new_epoch_reaches_those_who_watch(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        last = shop.set("us", 9, replace=True)
        await viewer.until(lambda v: v.positions["regions"] == last)
        assert viewer.rows["regions"] == {"us": ["us", 9]}
        assert viewer.of("snapshot")[-1]["reason"] == "epoch"


async def test_a_broken_subscription_is_filled_from_the_log(
    node: Node, shop: Shop, bus_options: BusOptions
) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        with connect(bus_options.url) as client:
            client.client_kill_filter(_type="pubsub")
        for number in range(1, 50):
            last = shop.happen(number)
        await viewer.until(lambda v: v.positions["events"] == last)
        assert [row for (row,) in viewer.events["events"]] == list(range(50))
        assert len(viewer.of("snapshot")) == 2


async def test_history_gives_the_points_of_the_past(node: Node, shop: Shop) -> None:
    for total in range(1, 30):
        shop.set("eu", total)
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        request = {"topic": "regions", "columns": ["total"], "start": 0, "points": 10}
        await viewer.say("history", {"id": "a", **request, "points": 100})
        await viewer.say("history", {"id": "b", **request})
        await viewer.say("history", {"id": "c", **request, "topic": "secret"})
        await viewer.until(lambda v: len(v.of("history")) == 2 and bool(v.of("error")))
    answers = {history["id"]: history for history in viewer.of("history")}  # in any order
    whole, thin = answers["a"], answers["b"]
    assert whole["columns"]["total"] == list(range(30))
    assert (whole["resolution"], whole["keys"][0]) == (0, "eu")
    assert thin["resolution"] > 0 or len(thin["times"]) <= 10
    assert viewer.of("error")[0]["about"] == "c"


async def test_staleness_is_told_when_the_publisher_falls_silent(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(
            lambda v: any(s["topics"].get("regions") == "live" for s in v.of("status"))
        )
        await viewer.until(
            lambda v: any(s["topics"].get("regions") == "stale" for s in v.of("status"))
        )
        shop.publisher.heartbeat(["regions"])
        await viewer.until(lambda v: v.of("status")[-1]["topics"].get("regions") == "live")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{}", 4400),
        ("[" * 20_000, 4400),
        ('[{"version":2,"type":"hello","payload":{}}]', 4400),
        ('[{"version":1,"type":"dance","payload":{}}]', 4400),
        ('[{"version":1,"type":"hello","payload":{"versions":"x"}}]', 4400),
        ('[{"version":1,"type":"hello","payload":{"versions":[9]}}]', 4400),
        (
            '[{"version":1,"type":"history","payload":{"id":"a","topic":"t","columns":[],"start":0}}]',
            4400,
        ),
        (b"\x00\x01", 4400),
        (json.dumps(["x" * 70_000]), 4409),
    ],
    ids=[
        "object",
        "deep",
        "version",
        "type",
        "shape",
        "no-common-version",
        "early",
        "binary",
        "large",
    ],
)
async def test_malformed_input_is_named_and_closed_with_its_code(
    node: Node, shop: Shop, text: str | bytes, code: int
) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as neighbour, Viewer.at(node) as viewer:
        await neighbour.until(lambda v: len(v.positions) == 2)
        await viewer.link.send(text)
        assert await viewer.until_closed() == code
        assert viewer.of("error")[0]["code"] == code
        last = shop.set("us", 1)
        await neighbour.until(lambda v: v.positions["regions"] == last)


async def test_too_many_messages_are_refused(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        for _ in range(300):
            await viewer.say("ack", {"messages": 0})
        assert await viewer.until_closed() == 4429


async def test_a_page_of_another_origin_is_refused(node: Node) -> None:
    for headers in ({"Origin": "https://evil.example"}, {}):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            async with websockets.connect(node.socket, additional_headers=headers):
                pass
