"""A viewer's outbox: bounded, in order, and never in the way of other viewers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable


class Outbox:
    """Messages to one viewer, written by a task of their own.

    What was put but not yet acknowledged counts: beyond ``limit`` bytes the policy is *lag*: what
    waits is dropped whole, `lagging` is set, and nothing is taken until the viewer has
    acknowledged all that it was sent. Then it needs fresh snapshots.
    """

    def __init__(self, write: Callable[[str], Awaitable[None]], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._sizes: deque[int] = deque()  # of all that is not acknowledged, oldest first
        self._bytes = 0
        self._acknowledged = 0
        self._arrived = asyncio.Event()
        self.lagging = False
        self.last_put = self.last_progress = time.monotonic()

    def put(self, message: str) -> bool:
        """Queue a message; False if it was dropped because the viewer lags."""
        if self.lagging:
            return False
        if self._bytes > self._limit:
            self._drop()
            return False
        self._sizes.append(len(message))
        self._bytes += len(message)
        self._waiting.append(message)
        self.last_put = time.monotonic()
        if len(self._sizes) == 1:
            self.last_progress = self.last_put
        self._arrived.set()
        return True

    def acknowledge(self, messages: int) -> bool:
        """The viewer has painted so many messages; True if it has just ceased to lag."""
        while self._acknowledged < messages and self._sizes:
            self._bytes -= self._sizes.popleft()
            self._acknowledged += 1
            self.last_progress = time.monotonic()
        if self.lagging and not self._sizes:
            self.lagging = False
            return True
        return False

    def silent_for(self) -> float:
        """For how many seconds the viewer has taken nothing of what was sent to it."""
        return time.monotonic() - self.last_progress if self._sizes else 0.0

    async def drain_for_ever(self) -> None:
        """Write what is put, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._write(self._waiting.popleft())

    def take_all(self) -> list[str]:
        """Give what waits, to be written by somebody else."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _drop(self) -> None:
        for _ in range(len(self._waiting)):
            self._bytes -= self._sizes.pop()
        self._waiting.clear()
        self.lagging = True
