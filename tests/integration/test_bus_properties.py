"""Whatever is published, lost, trimmed and resumed: the truth exactly, or a snapshot of it."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathway_viz import wire
from pathway_viz.bus.connect import connect
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions, Change, Lost, Published
from pathway_viz.topics import Keys, TopicKind
from pathway_viz.wire import Position, SnapshotReason
from tests.contract.reference import Topic

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 3)),
        st.tuples(st.just("set"), st.integers(0, 3)),
        st.tuples(st.just("drop"), st.integers(0, 3)),
        st.tuples(st.just("trim"), st.integers(0, 5)),
        st.tuples(st.just("lose"), st.sampled_from(["meta", "rows", "log", "all"])),
        st.tuples(st.just("hang"), st.just(0)),
        st.tuples(st.just("resume"), st.integers(0, 30)),
    ),
    max_size=40,
)


APPEND_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 3)),
        st.tuples(st.just("append"), st.integers(1, 3)),
        st.tuples(st.just("drop"), st.integers(1, 4)),
        st.tuples(st.just("trim"), st.integers(0, 4)),
        st.tuples(st.just("lose"), st.sampled_from(["meta", "log", "all"])),
        st.tuples(st.just("resume"), st.integers(0, 30)),
    ),
    max_size=40,
)


class Story:
    """One topic, its publisher, and the state that belongs to every position."""

    def __init__(self, options: BusOptions) -> None:
        self.options, self.keys = options, Keys(options.prefix)
        self.publisher = Publisher(options, owner="test")
        self.rows: dict[bytes, bytes] = {}
        self.said = 0
        self.told: list[tuple[Position, dict[bytes, bytes]]] = []

    def publish(self, upserts: dict[bytes, bytes], deletes: tuple[bytes, ...]) -> None:
        """As the publishing thread does it: what Redis lost is said whole."""
        self.said += 1
        change = self.change(upserts=upserts, deletes=deletes)
        (outcome,) = self.publisher.publish([change])
        if isinstance(outcome, Lost):
            self.said += 1
            (outcome,) = self.publisher.publish([self.change(upserts=self.rows, replace=True)])
        assert not isinstance(outcome, Lost)
        self.told.append((outcome.position, dict(self.rows)))  # type: ignore[union-attr]
        self.last = change

    def change(self, **more: Any) -> Change:
        identity = f"{self.publisher.token}-{self.said}"
        return Change(topic="t", kind=TopicKind.KEYED, commit=1, id=identity, **more)

    def do(self, what: str, told: Any) -> None:
        key = b'"%s"' % str(told).encode()
        if what == "set":
            self.rows[key] = b"[%d]" % self.said
            self.publish({key: self.rows[key]}, ())
        elif what == "drop":
            self.rows.pop(key, None)
            self.publish({}, (key,))
        elif what == "hang" and self.told:  # a frame that hung arrives after all, or twice
            self.publisher.publish([self.last])
        with connect(self.options.url) as client:
            if what == "trim":
                client.xtrim(self.keys.log("t"), maxlen=told, approximate=False)
            elif what == "lose":
                every = {"meta": 0, "rows": 1, "log": 2}
                names = self.keys.all_of("t")
                client.delete(*(names if told == "all" else [names[every[told]]]))

    async def resume(self, number: int) -> None:
        """From an earlier position: exactly what was missed, or else the whole state."""
        self.said += 1
        self.publish({}, ())  # whoever lost something notices now
        have, state = self.told[number % len(self.told)]
        reader = Reader(self.options)
        missed = await reader.log_since("t", have, 1000)
        snapshot = await reader.snapshot("t", 10)
        await reader.close()
        assert snapshot is not None
        assert dict(snapshot.rows) == self.rows
        if missed is None:
            return
        held = dict(state)
        for entry in missed:
            held.update(pairs(entry.upserts))
            for gone in json.loads(b"[%s]" % entry.deletes):
                held.pop(json.dumps(gone).encode(), None)
        assert held == self.rows


class Happenings:
    """An append topic of numbers, of which some were dropped, and who has seen which of them."""

    def __init__(self, options: BusOptions) -> None:
        self.options, self.keys = options, Keys(options.prefix)
        self.publisher = Publisher(options, owner="test")
        self.latest: list[bytes] = []
        self.number = self.dropped = 0
        self.left: list[tuple[Topic, int]] = []

    def append(self, rows: int) -> None:
        """As the publishing thread does it: what Redis lost is said again."""
        new = [b"[%d]" % (self.number + i) for i in range(1, rows + 1)]
        self.number += rows
        (outcome,) = self.publisher.publish([self.change(new, self.dropped)])
        if isinstance(outcome, Lost):
            again = self.latest[len(self.latest) - outcome.missing :]
            whole = self.change([*again, *new], self.dropped, again=len(again), replace=True)
            (outcome,) = self.publisher.publish([whole])
        assert isinstance(outcome, Published)
        self.latest, self.dropped = [*self.latest, *new], 0

    def change(self, rows: list[bytes], dropped: int, **more: Any) -> Change:
        told = {"commit": 1, "rows": tuple(rows), "dropped": dropped}
        return Change(topic="t", kind=TopicKind.APPEND, **told, **more)

    def do(self, what: str, told: Any) -> None:
        if what == "append":
            self.append(told)
        elif what == "drop":
            self.number += told
            self.dropped += told
        with connect(self.options.url) as client:
            meta, _, log = self.keys.all_of("t")
            if what == "trim":
                client.xtrim(log, maxlen=told, approximate=False)
            elif what == "lose":
                client.delete(*{"meta": [meta], "log": [log], "all": [meta, log]}[told])

    async def resume(self, number: int) -> None:
        """From an earlier position: what comes then and what is said to be skipped add up."""
        self.append(1)  # whoever lost something notices now
        viewer, seen = self.left[number % len(self.left)] if self.left else (Topic(), 0)
        viewer, before = copy.deepcopy(viewer), viewer.skipped
        reader = Reader(self.options)
        missed = viewer.position and await reader.log_since("t", viewer.position, 1000)
        if missed is None:
            snapshot = await reader.snapshot("t", 1000)
            assert snapshot is not None
            numbers = (snapshot.count, snapshot.dropped)
            head = ("t", str(snapshot.position), SnapshotReason.JOIN, 1)
            show(viewer, wire.append_snapshot(*head, *numbers, snapshot.batches))
        for entry in missed or ():
            rest = (entry.upserts, entry.dropped)
            show(viewer, wire.append_update("t", str(entry.position), 1, *rest))
        await reader.close()
        shown = [row for (row,) in viewer.events]
        assert shown == sorted(set(shown)), "a row twice, or out of order"
        assert shown[-1] == self.number
        if seen:
            new = [row for row in shown if row > seen]
            assert len(new) + viewer.skipped - before == self.number - seen
        self.left.append((viewer, self.number))


def show(viewer: Topic, envelope: bytes) -> None:
    told = json.loads(envelope)
    assert viewer.take(told["type"], told["payload"]) == "applied"


def pairs(upserts: bytes) -> dict[bytes, bytes]:
    found = json.loads(b"{%s}" % upserts)
    return {json.dumps(k).encode(): json.dumps(v).encode() for k, v in found.items()}


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_a_resume_is_exact_or_refused_whatever_happened(redis_url: str, steps: list[Any]) -> None:
    story = Story(BusOptions(url=redis_url, prefix=uuid.uuid4().hex))
    for what, told in steps:
        if what == "resume":
            asyncio.run(story.resume(told))
        else:
            story.do(what, told)
    story.publisher.close()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=APPEND_STEPS)
def test_rows_that_come_and_rows_that_were_skipped_add_up(redis_url: str, steps: list[Any]) -> None:
    story = Happenings(BusOptions(url=redis_url, prefix=uuid.uuid4().hex))
    for what, told in steps:
        if what == "resume":
            asyncio.run(story.resume(told))
        else:
            story.do(what, told)
    story.publisher.close()
