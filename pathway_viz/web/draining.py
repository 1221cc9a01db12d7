"""Draining: what a node does when its process is told to end (SIGTERM).

The viewers are sent away with close code 1012, spread over DRAIN_S seconds, before the server's
own handler ends the process; the pages come back at once, on whatever node the load balancer
gives them. ``/readyz`` says no from the first moment on, so that nobody new is sent here.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Final

_GRACE_S: Final = 0.25  # for the last goodbyes to get through


class Draining:
    """Whether this process is about to end, for every event loop in it."""

    def __init__(self) -> None:
        self.begun = False
        self._installed = False
        self._before: Any = None
        self._arguments: tuple[int, FrameType | None] = (signal.SIGTERM, None)
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def install(self) -> None:
        """Handle SIGTERM from now on; only the main thread can, elsewhere nothing happens."""
        if self._installed or threading.current_thread() is not threading.main_thread():
            return
        self._installed = True
        self._before = signal.signal(signal.SIGTERM, self._terminated)

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """Enter when the process is told to end; it ends when all have left again."""
        self.install()
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        mine = (loop, event)
        self._waiting.add(mine)
        try:
            if not self.begun:
                await event.wait()
            yield
        finally:
            self._waiting.discard(mine)
            if self.begun and not self._waiting:
                loop.call_later(_GRACE_S, self._end)

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        """Drain first; then, or at the second signal, do what was to be done before."""
        self._arguments = (number, frame)
        waiting = [] if self.begun else list(self._waiting)
        self.begun = True
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)
        if not waiting:
            self._end()

    def _end(self) -> None:
        if callable(self._before):
            self._before(*self._arguments)
        else:
            signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)


_draining: Final = Draining()
ending: Final = _draining.ending


def is_begun() -> bool:
    """Whether this process is about to end."""
    return _draining.begun
