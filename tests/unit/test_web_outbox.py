"""Outboxes are bounded; sessions hear only what is in turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.protocol import State as WebSocketState
from websockets.uri import parse_uri

from pathway_viz.errors import ProtocolError
from pathway_viz.web.links import AsgiLink, Write
from pathway_viz.web.message import Message
from pathway_viz.web.outbox import Outbox
from pathway_viz.web.session import MOST_WATCHED, Session, State
from pathway_viz.wire import Ack, Hello, HistoryRequest, Position


class Pipe:
    """A link that takes messages while it is open."""

    def __init__(self, *, open_: bool = True) -> None:
        self.open = open_
        self.written: list[bytes] = []

    def write(self, message: Message) -> bool:
        if self.open:
            self.written.append(message.payload)
        return self.open

    def direct(self, ended: Callable[[], None]) -> Write | None:
        self.ended = ended
        return self.written.append if self.open else None

    def on_ready(self, call: Callable[[], None]) -> None:
        self.ready = call

    def close(self) -> None:
        pass


def text(content: bytes, position: Position | None = None) -> Message:
    return Message([content], {"t": position} if position else {})


def test_an_outbox_beyond_its_bound_drops_what_waits_and_takes_nothing_more() -> None:
    pipe = Pipe(open_=False)
    outbox = Outbox(pipe, 100)
    assert [outbox.put(text(b"x" * 60)) for _ in range(4)] == [True, True, False, False]
    assert outbox.lagging
    pipe.open = True
    pipe.ready()
    (question,) = pipe.written  # a page answers a status at once
    assert b'"type":"status"' in question


def test_who_lagged_is_served_again_after_acknowledging_all_it_was_sent() -> None:
    pipe = Pipe()
    outbox = Outbox(pipe, 100)
    outbox.put(text(b"x" * 60, Position("e", 1, 1)))
    pipe.open = False
    outbox.put(text(b"x" * 60, Position("e", 1, 2)))
    outbox.put(text(b"x" * 60, Position("e", 1, 3)))
    assert outbox.lagging
    assert outbox.positions == {"t": Position("e", 1, 1)}
    pipe.open = True
    pipe.ready()
    assert not outbox.acknowledge(1)
    assert outbox.acknowledge(2)
    assert outbox.put(text(b"y"))
    assert pipe.written[-1] == b"[y]"


def test_silence_is_counted_only_while_something_is_unacknowledged() -> None:
    outbox = Outbox(Pipe(), 100)
    assert outbox.silent_for(time.monotonic()) == 0
    outbox.put(text(b"x"))
    assert outbox.silent_for(time.monotonic() + 1) > 0
    outbox.acknowledge(1)
    assert outbox.silent_for(time.monotonic()) == 0


def test_messages_are_written_in_order_when_the_link_takes_them_again() -> None:
    pipe = Pipe()
    outbox = Outbox(pipe, 100)
    outbox.put(text(b"a"))
    pipe.open = False
    outbox.put(text(b"b"))
    outbox.put(text(b"c"))
    assert pipe.written == [b"[a]"]
    pipe.open = True
    pipe.ready()
    outbox.put(text(b"d"))
    assert pipe.written == [b"[a]", b"[b]", b"[c]", b"[d]"]


@pytest.mark.parametrize("size", [0, 1, 123, 124, 65_532, 65_534, 65_535, 100_000])
def test_a_frame_is_what_a_websocket_client_reads(size: int) -> None:
    message = Message([b"x" * size])
    reader = ClientProtocol(parse_uri("ws://localhost/"), state=WebSocketState.OPEN)
    reader.receive_data(message.frame)
    (event,) = reader.events_received()
    assert isinstance(event, WebSocketFrame)
    assert (event.opcode, bytes(event.data)) == (Opcode.TEXT, message.payload)


async def test_a_send_that_waits_holds_back_the_next_one_until_it_is_through() -> None:
    room, sent = asyncio.Event(), []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["text"] == "[a]":
            await room.wait()
        sent.append(message["text"])

    outbox = Outbox(AsgiLink(send), 100)
    outbox.put(text(b"a"))
    outbox.put(text(b"b"))
    assert sent == []
    room.set()
    await outbox.drained()
    assert sent == ["[a]", "[b]"]


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
