"""Outboxes are bounded; sessions hear only what is in turn."""

from __future__ import annotations

import asyncio

import pytest

from pathway_viz.errors import ProtocolError
from pathway_viz.web.outbox import Outbox
from pathway_viz.web.session import MOST_WATCHED, Session, State
from pathway_viz.wire import Ack, Hello, HistoryRequest


async def nowhere(_: str) -> None:
    await asyncio.Event().wait()


def test_an_outbox_beyond_its_bound_drops_what_waits_and_takes_nothing_more() -> None:
    outbox = Outbox(nowhere, 100)
    assert [outbox.put("x" * 60) for _ in range(4)] == [True, True, False, False]
    assert outbox.lagging
    assert outbox.take_all() == []


def test_who_lagged_is_served_again_after_acknowledging_all_it_was_sent() -> None:
    outbox = Outbox(nowhere, 100)
    outbox.put("x" * 60)
    sent = outbox.take_all()
    outbox.put("x" * 60)
    outbox.put("x" * 60)
    assert outbox.lagging
    assert outbox.acknowledge(len(sent))
    assert outbox.put("y")
    assert outbox.take_all() == ["y"]


def test_silence_is_counted_only_while_something_is_unacknowledged() -> None:
    outbox = Outbox(nowhere, 100)
    assert outbox.silent_for() == 0
    outbox.put("x")
    assert outbox.silent_for() >= 0
    outbox.acknowledge(1)
    assert outbox.silent_for() == 0


async def test_messages_are_written_in_order() -> None:
    written: list[str] = []

    async def write(text: str) -> None:
        written.append(text)

    outbox = Outbox(write, 100)
    drain = asyncio.create_task(outbox.drain_for_ever())
    for text in "abc":
        outbox.put(text)
    while len(written) < 3:
        await asyncio.sleep(0)
    drain.cancel()
    assert written == ["a", "b", "c"]


def session() -> Session:
    return Session(10, 0.0)


def test_hello_comes_first_and_may_come_again() -> None:
    greeted = session()
    greeted.hear(Hello(versions=(1,)))
    greeted.hear(Hello(versions=(1, 2)))
    assert greeted.state is State.WATCHING


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (HistoryRequest(id="a", topic="t", columns=(), start=0), "Expected hello first"),
        (Hello(versions=(7,)), "reload the page"),
        (Hello(versions=(1,), topics=("t",) * (MOST_WATCHED + 1)), "at most 100"),
    ],
)
def test_what_is_out_of_turn_says_what_was_expected(message: object, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        session().hear(message)  # type: ignore[arg-type]


def test_a_closed_session_cannot_watch_again() -> None:
    closed = session()
    closed.hear(Ack(messages=0))
    closed.move(State.CLOSED)
    with pytest.raises(ProtocolError, match="closed cannot be watching"):
        closed.hear(Hello(versions=(1,)))


def test_the_rate_is_bounded_but_a_burst_is_forgiven() -> None:
    speaking = session()
    assert sum(speaking.may_speak(0.0) for _ in range(50)) == 10
    assert sum(speaking.may_speak(100.0) for _ in range(50)) == 20
