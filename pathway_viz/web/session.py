"""What a viewer's socket may do when: its states, and how much it may say. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Final

from pathway_viz.errors import ProtocolError
from pathway_viz.wire import PROTOCOL_VERSION, Ack, ClientMessage, Hello

MOST_WATCHED: Final = 100


class State(Enum):
    """The life of a viewer's socket."""

    GREETING = "greeting"  # accepted; only `hello` is welcome
    WATCHING = "watching"
    CLOSED = "closed"


_LEGAL: Final = {
    State.GREETING: {State.WATCHING, State.CLOSED},
    State.WATCHING: {State.WATCHING, State.CLOSED},
    State.CLOSED: set[State](),
}


class Session:
    """One viewer's state; raises ProtocolError when a message comes out of turn."""

    __slots__ = ("_counted", "_credit", "_rate", "state")

    def __init__(self, messages_per_s: int, now: float) -> None:
        self.state = State.GREETING
        self._rate = float(messages_per_s)
        self._credit = self._rate
        self._counted = now

    def hear(self, message: ClientMessage) -> None:
        """Take note of a message, and refuse it if it comes out of turn."""
        if isinstance(message, Hello):
            if PROTOCOL_VERSION not in message.versions:
                raise ProtocolError(
                    f"This page speaks protocol {list(message.versions)}, this node "
                    f"{PROTOCOL_VERSION}; reload the page."
                )
            if len(message.dashboards) + len(message.topics) > MOST_WATCHED:
                raise ProtocolError(
                    f"A page may watch at most {MOST_WATCHED} dashboards and topics."
                )
            self.move(State.WATCHING)
        elif self.state is State.GREETING and not isinstance(message, Ack):
            raise ProtocolError(f"Expected hello first, but got {type(message).__name__}.")

    def move(self, state: State) -> None:
        """Go to ``state``, if that is legal."""
        if state not in _LEGAL[self.state]:
            raise ProtocolError(f"A socket that is {self.state.value} cannot be {state.value}.")
        self.state = state

    def may_speak(self, now: float) -> bool:
        """Whether one more message is within the rate; ``now`` in seconds of any clock."""
        self._credit = min(self._rate * 2, self._credit + (now - self._counted) * self._rate)
        self._counted = now
        self._credit -= 1
        return self._credit >= 0
