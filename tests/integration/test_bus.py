"""The bus against real servers: what is published is what is read, exactly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import msgspec
import pytest

from pathway_viz import wire
from pathway_viz.bus.connect import connect
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.subscriber import Event, Subscriber
from pathway_viz.bus.types import (
    BusOptions,
    Change,
    Frame,
    LinkLost,
    Lost,
    News,
    Published,
    Refused,
)
from pathway_viz.topics import Column, ColumnType, Keys, Topic, TopicKind
from pathway_viz.widgets import DashboardSpec
from pathway_viz.wire import Position

KEYED = Topic(
    name="regions",
    title="Regions",
    kind=TopicKind.KEYED,
    columns=(Column(name="total", type=ColumnType.INT),),
)
APPEND = Topic(name="events", title="Events", kind=TopicKind.APPEND, columns=KEYED.columns)


@pytest.fixture
def options(bus_url: str, prefix: str) -> BusOptions:
    return BusOptions(url=bus_url, prefix=prefix)


@pytest.fixture
def publisher(options: BusOptions) -> Publisher:
    return Publisher(options, owner="the test")


@pytest.fixture
async def reader(options: BusOptions) -> AsyncIterator[Reader]:
    reader = Reader(options)
    yield reader
    await reader.close()


class Listener(Subscriber):
    """A subscriber whose events can be waited for."""

    def __init__(self, options: BusOptions) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        super().__init__(options, lambda events: [self._events.put_nowait(e) for e in events])

    async def next(self) -> Event:
        async with asyncio.timeout(5):
            return await self._events.get()


@pytest.fixture
async def subscriber(options: BusOptions) -> AsyncIterator[Listener]:
    subscriber = Listener(options)
    await subscriber.start()
    assert await subscriber.next() == LinkLost()
    yield subscriber
    await subscriber.close()


def upsert(key: str, value: int, **more: object) -> Change:
    change = {"topic": "regions", "kind": TopicKind.KEYED, "commit": 7, **more}
    return Change(**change, upserts={b'"%s"' % key.encode(): b"[%d]" % value})  # type: ignore[arg-type]


def appended(*values: int, **more: object) -> Change:
    rows = tuple(b"[%d]" % value for value in values)
    change = {"topic": "events", "kind": TopicKind.APPEND, "commit": 7, **more}
    return Change(**change, rows=rows)  # type: ignore[arg-type]


def publish(publisher: Publisher, *changes: Change) -> list[Position]:
    outcomes = publisher.publish(changes)
    return [outcome.position for outcome in outcomes if isinstance(outcome, Published)]


async def frames(subscriber: Listener, count: int) -> list[Frame]:
    found: list[Frame] = []
    while len(found) < count:
        if isinstance(event := await subscriber.next(), Frame):
            found.append(event)
    return found


async def test_what_is_published_is_the_state(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, upsert("eu", 1), upsert("us", 2))
    (last,) = publish(
        publisher,
        Change(topic="regions", kind=TopicKind.KEYED, commit=8, deletes=(b'"eu"',)),
    )
    snapshot = await reader.snapshot("regions", 100)
    assert snapshot is not None
    assert (snapshot.position, snapshot.commit) == (last, 8)
    assert snapshot.rows == ((b'"us"', b"[2]"),)


async def test_a_live_frame_is_the_envelope_that_the_log_gives_again(
    publisher: Publisher, reader: Reader, subscriber: Listener
) -> None:
    for topic in ("regions", "events"):
        await subscriber.subscribe(topic)
    gone = Change(
        topic="regions", kind=TopicKind.KEYED, commit=1_795_228_255_200, deletes=(b'"x"',)
    )
    publish(publisher, upsert("eu", 1), gone, appended(5, 6))
    one, two, three = await frames(subscriber, 3)
    (entry,) = await reader.log_since("regions", one.position, 10) or []
    assert two.envelope == wire.keyed_update(
        "regions", str(entry.position), entry.commit, entry.upserts, entry.deletes
    )
    (entry,) = await reader.log_range("events", 0, 2**50, 10)
    assert three.envelope == wire.append_update(
        "events", str(three.position), entry.commit, entry.upserts
    )


async def test_the_log_tells_what_was_dropped_before_its_rows_as_the_live_frame_does(
    publisher: Publisher, reader: Reader, subscriber: Listener
) -> None:
    await subscriber.subscribe("events")
    after_a_drop = msgspec.structs.replace(appended(8, 9), dropped=5)
    publish(publisher, appended(1, 2), after_a_drop, appended(10))
    live = await frames(subscriber, 3)
    logged = await reader.log_range("events", 0, 2**50, 10)
    assert [entry.dropped for entry in logged] == [None, 5, None]
    for frame, entry in zip(live, logged, strict=True):
        parts = (str(frame.position), entry.commit, entry.upserts, entry.dropped)
        assert frame.envelope == wire.append_update("events", *parts)
    snapshot = await reader.snapshot("events", 10)
    assert snapshot is not None
    assert (snapshot.count, snapshot.dropped) == (5, 5)


async def test_offsets_grow_by_one_and_ms_never_goes_back(publisher: Publisher) -> None:
    positions = [publish(publisher, upsert("eu", i))[0] for i in range(50)]
    assert all(b.follows(a) for a, b in pairwise(positions))
    assert [p.ms for p in positions] == sorted(p.ms for p in positions)


async def test_an_append_topics_snapshot_is_its_latest_rows(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, *[appended(i, commit=i) for i in range(1, 6)])
    snapshot = await reader.snapshot("events", 2)
    assert snapshot is not None
    assert snapshot.batches == ((4, b"[4]"), (5, b"[5]"))


async def test_a_topic_never_published_has_no_snapshot(reader: Reader) -> None:
    assert await reader.snapshot("nothing", 10) is None


async def test_resuming_gives_exactly_what_was_missed(publisher: Publisher, reader: Reader) -> None:
    positions = publish(publisher, *[upsert("eu", i) for i in range(5)])
    missed = await reader.log_since("regions", positions[1], 10)
    assert missed is not None
    assert [entry.position for entry in missed] == positions[2:]
    assert await reader.log_since("regions", positions[-1], 10) == []


async def test_what_cannot_be_resumed_exactly_is_refused(
    publisher: Publisher, reader: Reader, options: BusOptions
) -> None:
    first, *_, last = publish(publisher, *[upsert("eu", i) for i in range(5)])
    ahead = Position(last.epoch, last.ms, last.offset + 1)
    other = Position("another", last.ms, last.offset)
    assert await reader.log_since("regions", ahead, 10) is None
    assert await reader.log_since("regions", other, 10) is None
    assert await reader.log_since("regions", first, 2) is None
    with connect(options.url) as client:
        client.xtrim(Keys(options.prefix).log("regions"), maxlen=2, approximate=False)
    assert await reader.log_since("regions", first, 10) is None


async def test_a_replaced_state_is_a_new_epoch_and_keeps_the_log(
    publisher: Publisher, reader: Reader
) -> None:
    (old,) = publish(publisher, upsert("eu", 1))
    (new,) = publish(publisher, upsert("us", 2, replace=True))
    snapshot = await reader.snapshot("regions", 10)
    assert snapshot is not None
    assert snapshot.rows == ((b'"us"', b"[2]"),)
    assert (new.epoch != old.epoch, new.offset) == (True, old.offset + 1)
    assert len(await reader.log_range("regions", 0, 2**50, 10)) == 2


async def test_a_large_commit_is_one_frame(publisher: Publisher, reader: Reader) -> None:
    rows = {b'"k%d"' % i: b"[%d]" % i for i in range(20_000)}
    publish(publisher, Change(topic="regions", kind=TopicKind.KEYED, commit=1, upserts=rows))
    gone = tuple(rows)[:9_999]
    publish(publisher, Change(topic="regions", kind=TopicKind.KEYED, commit=2, deletes=gone))
    snapshot = await reader.snapshot("regions", 10)
    assert snapshot is not None
    assert dict(snapshot.rows) == dict(list(rows.items())[9_999:])


async def test_a_second_publisher_is_refused_while_the_first_lives(
    publisher: Publisher, options: BusOptions
) -> None:
    second = Publisher(options, owner="the second")
    assert publisher.claim([KEYED]) == []
    assert second.claim([KEYED]) == [Refused("regions", "the test")]
    assert second.publish([upsert("eu", 1)]) == [Refused("regions", "the test")]
    publisher.release(["regions"])
    assert second.claim([KEYED]) == []
    assert publisher.heartbeat(["regions"]) == [Refused("regions", "the second")]


async def test_a_dead_publishers_topic_is_taken_over(bus_url: str, prefix: str) -> None:
    options = BusOptions(url=bus_url, prefix=prefix, lease_s=0.05)
    first, second = Publisher(options, owner="first"), Publisher(options, owner="second")
    first.claim([KEYED])
    async with asyncio.timeout(5):
        while second.claim([KEYED]):
            await asyncio.sleep(0.01)
    assert first.publish([upsert("eu", 1)]) == [Refused("regions", "second")]


async def test_whoever_may_share_a_topic_needs_no_claim(
    publisher: Publisher, options: BusOptions, reader: Reader
) -> None:
    publish(publisher, appended(1, shared=True))
    publish(Publisher(options, owner="another"), appended(2, shared=True))
    snapshot = await reader.snapshot("events", 10)
    assert snapshot is not None
    assert [rows for _, rows in snapshot.batches] == [b"[1]", b"[2]"]


async def test_a_publisher_notices_that_redis_lost_its_state(
    publisher: Publisher, options: BusOptions
) -> None:
    publisher.claim([KEYED])
    publish(publisher, upsert("eu", 1), upsert("eu", 2))
    with connect(options.url) as client:
        client.delete(Keys(options.prefix).meta("regions"))
    assert publisher.heartbeat(["regions"]) == [Lost("regions")]
    assert publisher.publish([upsert("eu", 3)]) == [Lost("regions")]
    assert publish(publisher, upsert("eu", 3, replace=True))


async def test_a_frame_that_is_said_again_changes_nothing(
    publisher: Publisher, reader: Reader
) -> None:
    first = publish(publisher, appended(1, id="a-1"))
    again = publish(publisher, appended(1, id="a-1"))
    assert again == first
    snapshot = await reader.snapshot("events", 10)
    assert snapshot is not None
    assert len(snapshot.batches) == 1


async def test_scripts_that_redis_forgot_are_loaded_again(
    publisher: Publisher, options: BusOptions, reader: Reader
) -> None:
    publish(publisher, upsert("eu", 1))
    with connect(options.url) as client:
        client.script_flush()
    assert len(publish(publisher, upsert("eu", 2), upsert("eu", 3))) == 2
    assert (await reader.snapshot("regions", 1)) is not None


async def test_the_catalogue_and_its_news(
    publisher: Publisher, reader: Reader, subscriber: Listener
) -> None:
    publisher.declare([KEYED, APPEND])
    publisher.declare([KEYED, APPEND])  # nothing changed: no news
    publisher.declare_dashboards("shop", [DashboardSpec(slug="main", title="A", worker="shop")])
    assert [await subscriber.next() for _ in range(3)] == [
        News("topic", "regions"),
        News("topic", "events"),
        News("dashboard", "shop/main"),
    ]
    assert await reader.catalogue() == {"events": APPEND, "regions": KEYED}


async def test_a_worker_replaces_only_its_own_dashboards(
    publisher: Publisher, reader: Reader
) -> None:
    def spec(worker: str, slug: str) -> DashboardSpec:
        return DashboardSpec(slug=slug, title=slug, worker=worker)

    publisher.declare_dashboards("shop", [spec("shop", "a"), spec("shop", "b")])
    publisher.declare_dashboards("logs", [spec("logs", "a")])
    publisher.declare_dashboards("shop", [spec("shop", "b")])
    found = {(d.worker, d.slug) for d in await reader.dashboards()}
    assert found == {("shop", "b"), ("logs", "a")}


async def test_the_state_says_when_the_publisher_was_last_alive(
    publisher: Publisher, reader: Reader
) -> None:
    publisher.claim([KEYED])
    publish(publisher, upsert("eu", 1), appended(1, shared=True))
    states = await reader.states(["regions", "events", "nothing"])
    assert set(states) == {"regions", "events"}
    assert 0 <= states["regions"].now - states["regions"].heartbeat < 5000
    assert states["events"].heartbeat == 0


async def test_a_broken_subscription_stands_again_by_itself(
    publisher: Publisher, subscriber: Listener, options: BusOptions
) -> None:
    await subscriber.subscribe("regions")
    with connect(options.url) as client:
        client.client_kill_filter(_type="pubsub")
    assert await subscriber.next() == LinkLost()
    publish(publisher, upsert("eu", 1))
    assert (await frames(subscriber, 1))[0].topic == "regions"


async def test_nothing_comes_after_unsubscribing(
    publisher: Publisher, subscriber: Listener
) -> None:
    await subscriber.subscribe("regions")
    await subscriber.unsubscribe("regions")
    await subscriber.subscribe("events")
    publish(publisher, upsert("eu", 1), appended(1))
    assert [frame.topic for frame in await frames(subscriber, 1)] == ["events"]


async def test_closing_leaves_no_task_behind(options: BusOptions) -> None:
    before = asyncio.all_tasks()
    subscriber = Listener(options)
    await subscriber.start()
    await subscriber.next()
    await subscriber.close()
    assert asyncio.all_tasks() == before


def test_a_numeric_point_costs_at_most_40_bytes_in_the_log(bus_options: BusOptions) -> None:
    publisher, options = Publisher(bus_options, owner="the test"), bus_options
    points = 20_000
    for first in range(0, points, 500):
        now = int(time.time() * 1000)
        rows = [b"[%d,%.1f]" % (now, i % 100) for i in range(first, first + 500)]
        publisher.publish(
            [
                Change(topic="events", kind=TopicKind.APPEND, commit=now, rows=(row,), shared=True)
                for row in rows
            ]
        )
    with connect(options.url) as client:
        used = client.memory_usage(Keys(options.prefix).log("events"), samples=0)
    assert used is not None
    assert used / points <= 40
