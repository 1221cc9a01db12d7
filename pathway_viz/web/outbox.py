"""A viewer's outbox: bounded, in order, and never in the way of other viewers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping

from pathway_viz.web.links import Link
from pathway_viz.web.message import Message, status
from pathway_viz.wire import Position


class Outbox:
    """Messages to one viewer.

    What was put but not yet acknowledged counts: beyond ``limit`` bytes the policy is *lag*: what
    waits is dropped whole, `lagging` is set, and nothing is taken until the viewer has
    acknowledged all that it was sent. Then it needs fresh states, from ``positions`` on.
    """

    __slots__ = (
        *("_bytes", "_emptied", "_limit", "_painted", "_unpainted", "_waiting", "_write"),
        *("lagging", "last_progress", "last_put", "positions"),
    )

    def __init__(self, link: Link, limit: int) -> None:
        self._write = link.write
        self._limit = limit
        self._waiting: list[Message] = []  # nearly always empty, where a deque would hold 700 bytes
        self._unpainted: deque[Message] = deque()  # all that is not acknowledged, oldest first
        self._bytes = 0
        self._painted = 0
        self.lagging = False
        self.positions: Mapping[str, Position] = {}
        self.last_put = self.last_progress = time.monotonic()
        self._emptied: asyncio.Event | None = None
        link.on_ready(self.flush)

    def put(self, message: Message) -> bool:
        """Send a message, or queue it; False if it was dropped because the viewer lags."""
        if self.lagging:
            return False
        if self._bytes > self._limit:
            self._drop()
            return False
        if not self._unpainted:
            self.last_progress = message.at
        self._unpainted.append(message)
        self._bytes += message.size
        self.last_put = message.at
        if self._waiting or not self._write(message):
            self._waiting.append(message)
        elif message.positions:
            self.positions = message.positions
        return True

    def flush(self) -> None:
        """Write what waits, as far as the link takes it."""
        written = 0
        while written < len(self._waiting) and self._write(self._waiting[written]):
            self.positions = self._waiting[written].positions or self.positions
            written += 1
        del self._waiting[:written]
        if self._emptied is not None and not self._waiting:
            self._emptied.set()

    def acknowledge(self, messages: int) -> bool:
        """The viewer has painted so many messages; True if it has just ceased to lag."""
        painted = min(messages - self._painted, len(self._unpainted))
        if painted > 0:
            self._bytes -= sum(self._unpainted.popleft().size for _ in range(painted))
            self._painted += painted
            self.last_progress = time.monotonic()
        if self.lagging and not self._unpainted:
            self.lagging = False
            return True
        return False

    def silent_for(self, now: float) -> float:
        """For how many seconds, at ``now``, the viewer has taken nothing of what was sent to it."""
        return now - self.last_progress if self._unpainted else 0.0

    async def drained(self) -> None:
        """Wait until nothing waits to be written."""
        if self._waiting:
            self._emptied = asyncio.Event()
            await self._emptied.wait()

    def _drop(self) -> None:
        for _ in range(len(self._waiting)):
            self._bytes -= self._unpainted.pop().size
        self._waiting.clear()
        self.lagging = True
        self._ask_for_answer()

    def _ask_for_answer(self) -> None:
        """A page answers a `status` at once: then it is known when it has caught up."""
        message = status()
        self._unpainted.append(message)
        self._bytes += message.size
        self._waiting.append(message)
        self.flush()
