"""A viewer: one open WebSocket, as the hub sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from pathway_viz import wire
from pathway_viz.web.outbox import Outbox
from pathway_viz.wire import CloseCode, Position


class Watched(msgspec.Struct, frozen=True):
    """What a viewer asked to see."""

    dashboards: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


class Viewer:
    """One viewer's outbox, what it watches, and how to close it.

    ``topics`` are all it may see now, in a fixed order; it is in the audience of exactly those
    once it has joined.
    """

    def __init__(
        self,
        *,
        write: Callable[[str], Awaitable[None]],
        close: Callable[[CloseCode], None],
        outbox_bytes: int,
        user: Any,
        session_key: str | None,
    ) -> None:
        self.outbox = Outbox(write, outbox_bytes)
        self.close = close
        self.user = user
        self.session_key = session_key
        self.watched = Watched()
        self.topics: tuple[str, ...] = ()
        self.positions: dict[str, Position] = {}
        self.configs: dict[str, bytes] = {}
        self.joining = asyncio.Lock()

    def say(self, *envelopes: bytes) -> None:
        """Send envelopes of its own, as one message."""
        if envelopes:
            self.outbox.put(wire.join(envelopes).decode())
