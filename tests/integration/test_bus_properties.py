"""Whatever is published, lost, trimmed and resumed: the truth exactly, or a snapshot of it."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathway_viz.bus.connect import connect
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions, Change, Lost
from pathway_viz.topics import Keys, TopicKind
from pathway_viz.wire import Position

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
