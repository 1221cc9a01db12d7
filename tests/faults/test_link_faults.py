"""Links that hang, calls that are cancelled, viewers that come and go in every order."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathway_viz.bus.connect import connect
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.subscriber import DEAD_AFTER_S, PING_EVERY_S
from pathway_viz.bus.types import BusOptions, Change
from pathway_viz.conf import Settings
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.web.hub import Hub
from pathway_viz.web.message import Message
from pathway_viz.web.viewer import Viewer as Seat
from pathway_viz.wire import SnapshotReason
from tests.faults.watching import shop, until_agreed
from tests.feeder import Feeder
from tests.nodes import Site
from tests.nodes import Viewer as Watcher
from tests.servers import RedisServer


class FarServer(RedisServer):
    """A Valkey in a network namespace of its own, behind a link that can be cut."""

    def __init__(self) -> None:
        super().__init__("valkey")
        self.name_ = f"pv{os.getpid() % 10_000}"
        net = f"10.213.{os.getpid() % 250}"
        self.address = f"{net}.2"
        self._ip("netns", "add", self.name_)
        self._ip("link", "add", f"{self.name_}a", "type", "veth", "peer", "name", f"{self.name_}b")
        self._ip("link", "set", f"{self.name_}b", "netns", self.name_)
        self._ip("addr", "add", f"{net}.1/24", "dev", f"{self.name_}a")
        self._ip("link", "set", f"{self.name_}a", "up")
        self._inside("ip", "addr", "add", f"{self.address}/24", "dev", f"{self.name_}b")
        self._inside("ip", "link", "set", f"{self.name_}b", "up")

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _inside(self, *words: str) -> None:
        self._ip("netns", "exec", self.name_, *words)

    def command(self) -> list[str]:
        inside = ["/usr/sbin/ip", "netns", "exec", self.name_]
        return [*inside, *super().command(), "--port", "6390", "--bind", self.address,
                "--protected-mode", "no"]  # fmt: skip

    @property
    def far_url(self) -> str:
        return f"redis://{self.address}:6390/0"

    def cut(self) -> None:
        """Packets vanish; nobody is told."""
        self._inside("ip", "link", "set", f"{self.name_}b", "down")

    def mend(self) -> None:
        self._inside("ip", "link", "set", f"{self.name_}b", "up")

    def remove(self) -> None:
        super().remove()
        self._ip("netns", "del", self.name_)


@pytest.fixture
def far() -> Iterator[FarServer]:
    server = FarServer()
    server.start()
    yield server
    server.remove()


async def test_08_a_half_open_link_to_redis_is_noticed_in_time_and_nothing_is_lost(
    far: FarServer, prefix: str, tmp_path: Any, empty_database: Any
) -> None:
    """The publisher sits beside Redis; only the node's link hangs."""
    site = Site(BusOptions(url=far.far_url, prefix=prefix), tmp_path, empty_database)
    try:
        node = site.node("uvicorn")
        with Feeder(BusOptions(url=far.url, prefix=prefix)) as feeder:
            async with shop(node) as viewer:
                await viewer.until(lambda v: len(v.of("update")) > 10)
                far.cut()
                stale = lambda v: any("stale" in s["topics"].values() for s in v.of("status"))  # noqa: E731
                await viewer.until(stale, 5)
                await asyncio.sleep(PING_EVERY_S + DEAD_AFTER_S)
                far.mend()
                before = len(viewer.of("update"))
                bound = PING_EVERY_S + DEAD_AFTER_S + 5
                await viewer.until(lambda v: len(v.of("update")) > before, bound)
                await until_agreed(viewer, feeder)
                assert viewer.skipped.get("events", 0) == 0
    finally:
        site.stop()


def topic(number: int) -> Topic:
    column = Column(name="n", type=ColumnType.INT)
    return Topic(name=f"t{number}", title="", kind=TopicKind.KEYED, columns=(column,))


def say(publisher: Publisher, number: int, value: int) -> None:
    publisher.publish(
        [
            Change(
                topic=f"t{number}",
                kind=TopicKind.KEYED,
                commit=1,
                upserts={b'"k"': b"[%d]" % value},
            )
        ]
    )


async def test_10_calls_that_are_cancelled_at_random_never_get_each_others_answers(
    bus_options: BusOptions,
) -> None:
    publisher = Publisher(bus_options, owner="test")
    for number in range(20):
        say(publisher, number, number)
    reader = Reader(bus_options)
    answered = cancelled = 0

    async def ask(number: int) -> None:
        nonlocal answered
        snapshot = await reader.snapshot(f"t{number}", 10)
        assert snapshot is not None
        assert snapshot.rows == ((b'"k"', b"[%d]" % number),)
        answered += 1

    for _ in range(60):
        tasks = [asyncio.create_task(ask(random.randrange(20))) for _ in range(30)]
        for task in random.sample(tasks, 12):
            asyncio.get_running_loop().call_later(random.uniform(0, 0.004), task.cancel)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            cancelled += isinstance(result, asyncio.CancelledError)
            assert result is None or isinstance(result, asyncio.CancelledError), result
    await reader.close()
    publisher.close()
    assert answered > 500
    assert cancelled > 50


class Page:
    """A link that remembers, and a watcher that applies what came."""

    def __init__(self) -> None:
        self.watcher = Watcher(None)  # type: ignore[arg-type]

    def write(self, message: Message) -> bool:
        self.watcher.take(message.text)
        return True

    def direct(self, ended: Any) -> Any:
        return self._read

    def _read(self, frame: bytes) -> None:
        self.watcher.take(frame[{126: 4, 127: 10}.get(frame[1], 2) :])

    def on_ready(self, call: Any) -> None:
        pass

    def close(self) -> None:
        pass


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sets(st.integers(0, 4))),
        st.tuples(st.just("turn"), st.integers(0, 9), st.sets(st.integers(0, 4))),
        st.tuples(st.just("go"), st.integers(0, 9)),
        st.tuples(st.just("say"), st.integers(0, 4)),
        st.tuples(st.just("wait"), st.integers(0, 5)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=ACTIONS)
def test_18_whatever_viewers_do_at_once_they_end_with_the_state_and_nothing_else_is_followed(
    bus_options: BusOptions, actions: list[Any]
) -> None:
    prefix = uuid.uuid4().hex  # hypothesis makes `random` repeat itself
    options = BusOptions(url=bus_options.url, prefix=prefix)
    asyncio.run(in_time(race(options, actions)))


async def in_time(work: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(20):
        await work


async def race(options: BusOptions, actions: list[Any]) -> None:  # noqa: C901 - a story
    hub = Hub(Settings(redis_url=options.url, prefix=options.prefix, tick_ms=1))
    publisher = Publisher(options, owner="test")
    truth = dict.fromkeys(range(5), 0)
    for number in truth:
        say(publisher, number, 0)
    await hub.start()
    seats: list[tuple[Seat, Page]] = []
    joins: set[asyncio.Task[None]] = set()

    def join(seat: Seat, numbers: set[int]) -> None:
        topics = [f"t{number}" for number in numbers]
        joins.add(asyncio.create_task(hub.join(seat, topics, SnapshotReason.JOIN)))

    for what, *told in actions:
        if what == "come":
            page = Page()
            seat = Seat(
                link=page, close=lambda _: None, outbox_bytes=10**9, user=None, session_key=None
            )
            hub.viewers.add(seat)
            seats.append((seat, page))
            join(seat, told[0])
        elif what == "turn" and told[0] < len(seats) and seats[told[0]][0] in hub.viewers:
            join(seats[told[0]][0], told[1])
        elif what == "go" and told[0] < len(seats) and seats[told[0]][0] in hub.viewers:
            hub.leave(seats[told[0]][0])
        elif what == "say":
            truth[told[0]] += 1
            say(publisher, told[0], truth[told[0]])
        elif what == "wait":
            for _ in range(told[0] * 3):
                await asyncio.sleep(0)
    await asyncio.gather(*joins)
    for number in truth:
        truth[number] += 1
        say(publisher, number, truth[number])
    present = [(seat, page) for seat, page in seats if seat in hub.viewers]
    async with asyncio.timeout(10):
        while not all(right(seat, page, truth) for seat, page in present):
            await asyncio.sleep(0.005)
    followed = {name for seat, _ in present for name in seat.topics}
    assert set(hub.watched) == followed
    assert {v for audience in hub.audiences() for v in audience} == {s for s, _ in present}
    with connect(options.url) as client:
        async with asyncio.timeout(5):
            while {c.decode() for c in client.pubsub_channels(f"{options.prefix}:{{*")} != {
                f"{options.prefix}:{{{name}}}" for name in followed
            }:
                await asyncio.sleep(0.005)
    await hub.stop()
    publisher.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def right(seat: Seat, page: Page, truth: dict[int, int]) -> bool:
    held = page.watcher.rows
    return all(held.get(name, {}).get("k") == [truth[int(name[1:])]] for name in seat.topics)
