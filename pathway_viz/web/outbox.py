"""A viewer's outbox: bounded, in order, and never in the way of other viewers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pathway_viz.web.links import Link, Write
from pathway_viz.web.message import NOWHERE, Message, status


class Notes:
    """What viewers in step are sent, noted once for all of them; numbered from 0 on, for ever."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._first = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def end(self) -> int:
        """The number of the next message."""
        return self._first + len(self._messages)

    def add(self, message: Message) -> None:
        """Note a message."""
        self._messages.append(message)
        self.bytes += message.size

    def since(self, number: int) -> list[Message]:
        """The messages from ``number`` on."""
        return self._messages[number - self._first :]

    def clear(self) -> None:
        """Forget the messages; everybody has entered them."""
        self._first = self.end
        self._messages.clear()
        self.bytes = 0


class Outbox:
    """Messages to one viewer.

    What was put but not yet acknowledged counts: beyond ``limit`` bytes the policy is *lag*: what
    waits is dropped whole, `lagging` is set, and nothing is taken until the viewer has
    acknowledged all that it was sent. Then it needs fresh states, from ``positions`` on.

    While it keeps step, messages are not put: they are written past it and stand in ``notes``,
    until it enters them.
    """

    __slots__ = (
        *("_bytes", "_emptied", "_end_step", "_entered", "_limit", "_link", "_notes", "_painted"),
        *("_unpainted", "_waiting", "lagging", "last_progress", "last_put", "positions"),
    )

    def __init__(self, link: Link, limit: int) -> None:
        self._link = link
        self._limit = limit
        self._notes: Notes | None = None
        self._entered = 0
        self._end_step: Callable[[], None] | None = None
        self._waiting: list[Message] = []
        self._unpainted: list[Message] = []  # all that is not acknowledged, oldest first
        self._bytes = 0
        self._painted = 0
        self.lagging = False
        self.positions = NOWHERE
        self.last_put = self.last_progress = time.monotonic()
        self._emptied: asyncio.Event | None = None
        link.on_ready(self.flush)

    def put(self, message: Message) -> bool:
        """Send a message, or queue it; False if it was dropped because the viewer lags."""
        if self.lagging:
            return False
        if not self.enter():
            self._drop()
            return False
        if not self._unpainted:
            self.last_progress = message.at
        self._unpainted.append(message)
        self._bytes += message.size
        self.last_put = message.at
        if self._waiting or not self._link.write(message):
            self._waiting.append(message)
        elif message.positions:
            self.positions = message.positions
        return True

    def flush(self) -> None:
        """Write what waits, as far as the link takes it."""
        written = 0
        while written < len(self._waiting) and self._link.write(self._waiting[written]):
            self.positions = self._waiting[written].positions or self.positions
            written += 1
        del self._waiting[:written]
        if self._emptied is not None and not self._waiting:
            self._emptied.set()

    def acknowledge(self, messages: int) -> bool:
        """The viewer has painted so many messages; True if it has just ceased to lag."""
        self.enter()
        painted = min(messages - self._painted, len(self._unpainted))
        if painted > 0:
            self._bytes -= sum(message.size for message in self._unpainted[:painted])
            del self._unpainted[:painted]
            self._painted += painted
            self.last_progress = time.monotonic()
        if self.lagging and not self._unpainted:
            self.lagging = False
            return True
        return False

    def silent_for(self, now: float) -> float:
        """For how many seconds, at ``now``, the viewer has taken nothing of what was sent to it."""
        self.enter()
        return now - self.last_progress if self._unpainted else 0.0

    # ------------------------------------------------------------ in step

    def keep_step(self, notes: Notes, ended: Callable[[], None]) -> Write | None:
        """Have what is sent from now on written past it, and noted; gives how, until ``ended``.

        None if messages must be `put`: it lags, something waits, or its link must be asked.
        """
        if self.lagging or self._waiting or self._bytes > self._limit:
            return None
        write = self._link.direct(ended)
        if write is not None:
            self._notes, self._entered, self._end_step = notes, notes.end, ended
        return write

    def leave_step(self) -> None:
        """Messages are put again."""
        self.enter()
        self._notes = self._end_step = None

    def enter(self) -> bool:
        """Take over what was noted since the last time; False if more than the limit is out."""
        if self._notes is not None and self._entered < self._notes.end:
            new = self._notes.since(self._entered)
            self._entered = self._notes.end
            if not self._unpainted:
                self.last_progress = new[0].at
            self._unpainted.extend(new)
            self._bytes += sum(message.size for message in new)
            self.last_put = new[-1].at
            shown = (message.positions for message in reversed(new) if message.positions)
            self.positions = next(shown, self.positions)
        return self._bytes <= self._limit

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
        if self._end_step is not None:
            self._end_step()
        self._ask_for_answer()

    def _ask_for_answer(self) -> None:
        """A page answers a `status` at once: then it is known when it has caught up."""
        message = status()
        self._unpainted.append(message)
        self._bytes += message.size
        self._waiting.append(message)
        self.flush()
