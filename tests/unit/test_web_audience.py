"""Whoever keeps step, falls out of it and comes back gets every message once and in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pathway_viz.web.audience import Audience
from pathway_viz.web.links import Write
from pathway_viz.web.message import Message
from pathway_viz.web.viewer import Viewer


class Transport:
    """A link with a buffer of so many frames; beyond, it takes no more and says so."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.taken: list[bytes] = []
        self.ended: Callable[[], None] | None = None
        self.gone = False
        self.asked = 0

    def direct(self, ended: Callable[[], None]) -> Write | None:
        self.ended = ended
        return self._take if self.room > 0 else None

    def _take(self, frame: bytes) -> None:
        if self.gone:
            raise RuntimeError("the handler is closed")
        self.taken.append(frame[-frame[1] :] if frame[1] < 126 else frame[4:])
        self.room -= 1
        if self.room == 0 and self.ended is not None:
            self.ended()

    def write(self, message: Message) -> bool:
        self.asked += 1
        if self.gone:
            return True
        if self.room <= 0:
            return False
        self._take(message.frame)
        return True

    def on_ready(self, call: Callable[[], None]) -> None:
        self.ready = call

    def make_room(self, frames: int) -> None:
        self.room += frames
        self.ready()


def viewer_of(link: Transport, limit: int = 10**9) -> Viewer:
    told: dict[str, Any] = {"user": None, "session_key": None}
    return Viewer(link=link, close=lambda _: None, outbox_bytes=limit, **told)  # type: ignore[arg-type]


def message(number: int) -> Message:
    return Message([b"%d" % number])


def numbers(link: Transport) -> list[int]:
    """The numbers of the messages that were written, but for a node's question."""
    told = [one for frame in link.taken for one in json.loads(frame)]
    return [one for one in told if isinstance(one, int)]


def test_what_is_told_is_written_at_once_and_counts_as_not_acknowledged() -> None:
    link, audience = Transport(), Audience(("t",), 10**6)
    viewer = viewer_of(link)
    audience.add(viewer)
    sent = [message(number) for number in range(3)]
    for one in sent:
        assert audience.tell(one) == []
    assert numbers(link) == [0, 1, 2]
    assert viewer.outbox.silent_for(sent[0].at + 5) == 5
    viewer.outbox.acknowledge(3)
    assert viewer.outbox.silent_for(sent[0].at + 5) == 0


def test_who_takes_too_much_unacknowledged_lags_and_the_others_go_on() -> None:
    links = [Transport(), Transport()]
    audience = Audience(("t",), 10)
    slow, quick = viewer_of(links[0], limit=20), viewer_of(links[1], limit=20)
    audience.add(slow)
    audience.add(quick)
    lagging: list[Viewer] = []
    for number in range(100, 140):
        lagging += audience.tell(message(number))
        quick.outbox.acknowledge(number - 99)
    assert set(lagging) == {slow}
    assert slow.outbox.lagging
    assert len(numbers(links[0])) < 10
    assert numbers(links[1]) == list(range(100, 140))


def test_a_transport_that_is_gone_disturbs_no_neighbour() -> None:
    links = [Transport() for _ in range(3)]
    audience = Audience(("t",), 10**6)
    for link in links:
        audience.add(viewer_of(link))
    links[0].gone = True
    audience.tell(message(1))
    audience.tell(message(2))
    assert [numbers(link) for link in links] == [[], [1, 2], [1, 2]]


def test_who_fell_out_is_asked_before_each_message_until_it_keeps_step_again() -> None:
    link, audience = Transport(room=1), Audience(("t",), 10**6)
    audience.add(viewer_of(link))
    for number in range(3):
        audience.tell(message(number))
    assert (numbers(link), link.asked) == ([0], 1)  # asked for the second, which the third follows
    link.make_room(100)
    audience.settle()
    asked = link.asked
    audience.tell(message(3))
    assert (numbers(link), link.asked) == ([0, 1, 2, 3], asked)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("say"), st.just(0)),
        st.tuples(st.just("room"), st.integers(1, 4)),
        st.tuples(st.just("ack"), st.integers(0, 5)),
        st.tuples(st.just("settle"), st.just(0)),
        st.tuples(st.just("turn"), st.just(0)),
    ),
    max_size=60,
)


@given(steps=STEPS, room=st.integers(1, 5))
def test_every_message_comes_once_and_in_order_whatever_happens(
    steps: list[tuple[str, int]], room: int
) -> None:
    links = [Transport(room), Transport()]
    audiences = [Audience(("t",), 30), Audience(("t", "u"), 30)]
    changing, steady = viewer_of(links[0]), viewer_of(links[1])
    audiences[0].add(changing)
    audiences[0].add(steady)
    audiences[1].add(viewer_of(Transport()))
    at, sent, told, painted = 0, 0, [], 0
    for what, number in steps:
        if what in ("tell", "say"):
            sent += 1
            told.append(sent)
        if what == "tell":
            for audience in audiences:
                assert audience.tell(message(sent)) == []
        elif what == "say":
            changing.outbox.put(message(sent))
            steady.outbox.put(message(sent))
        elif what == "room":
            links[0].make_room(number)
        elif what == "ack":
            painted = min(len(numbers(links[0])), painted + number)
            changing.outbox.acknowledge(painted)
        elif what == "settle":
            audiences[at].settle()
        else:
            audiences[at].discard(changing)
            at = 1 - at
            audiences[at].add(changing)
    links[0].make_room(1000)
    assert numbers(links[0]) == numbers(links[1]) == told
    changing.outbox.acknowledge(len(told))
    assert changing.outbox.silent_for(10**9) == 0
    for audience in audiences:
        audience.settle()
    audiences[at].tell(message(sent + 1))
    assert numbers(links[0])[-1:] == [sent + 1]
