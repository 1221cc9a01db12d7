"""A viewer: one open WebSocket, as the hub sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pathway_viz.web.links import Link
from pathway_viz.web.message import NOWHERE, Message
from pathway_viz.web.outbox import Outbox
from pathway_viz.wire import CloseCode

if TYPE_CHECKING:
    from pathway_viz.web.audience import Audience


class Watched(msgspec.Struct, frozen=True):
    """What a viewer asked to see."""

    dashboards: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


_NOTHING = Watched()


class Viewer:
    """One viewer's outbox, what it watches, and how to close it.

    ``topics`` are all it may see now, in a fixed order; it is in the audience of exactly those
    once it has joined.
    """

    __slots__ = (
        *("audience", "close", "configs", "joining", "outbox"),
        *("positions", "session_key", "topics", "user", "watched"),
    )

    def __init__(
        self,
        *,
        link: Link,
        close: Callable[[CloseCode], None],
        outbox_bytes: int,
        user: Any,
        session_key: str | None,
    ) -> None:
        self.outbox = Outbox(link, outbox_bytes)
        self.close = close
        self.user = user
        self.session_key = session_key
        self.watched = _NOTHING
        self.topics: tuple[str, ...] = ()
        self.positions = NOWHERE
        self.configs: Mapping[str, bytes] = {}
        self.joining = asyncio.Lock()
        self.audience: Audience | None = None

    def fall_out_of_step(self) -> None:
        """Its link cannot take everything as it comes any more."""
        if self.audience is not None:
            self.audience.fall_out(self)

    def say(self, *envelopes: bytes) -> None:
        """Send envelopes of its own, as one message."""
        if envelopes:
            self.outbox.put(Message(envelopes))
