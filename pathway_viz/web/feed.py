"""One topic as a node follows it: its position, this tick's envelopes, what came lately. Pure."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from pathway_viz.bus.types import Frame
from pathway_viz.wire import Position

RECENT: Final = 512  # envelopes kept for viewers that are just joining
RECENT_BYTES: Final = 4_000_000
HELD: Final = 5000  # frames kept back while a gap is being filled; beyond, a snapshot is due


class Verdict(Enum):
    """What a frame means to a feed."""

    NEXT = "next"  # it was added
    OLD = "old"  # it is known already
    GAP = "gap"  # something before it is missing; it is held back


class Feed:
    """Keeps the frames of a topic in order and without holes.

    ``position`` is up to where everything has arrived, ``shown`` up to where it was given out: a
    frame of a flush of several topics is shown when all of them have arrived. None: nothing yet.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.worker = ""  # whose seals are listened to; none: every frame stands alone
        self.position: Position | None = None
        self.shown: Position | None = None
        self.filling = False
        self.under_repair = False  # a task is at it
        self._overdue: Position | None = None
        self._recent: deque[tuple[Position, bytes]] = deque()
        self._recent_bytes = 0
        self._open: deque[tuple[Position, bytes]] = deque()
        self._tick: list[bytes] = []
        self._held: list[Frame] = []

    def begin_at(self, position: Position) -> None:
        """Take ``position`` for granted, if nothing has been seen yet."""
        if self.position is None:
            self.position = self.shown = position

    def take(self, frame: Frame) -> Verdict:
        """Add a live frame if it is the next one; hold it back while a gap is open.

        The first frame of a topic that nobody knew is a gap too: its viewers have no state yet.
        """
        if self.filling:
            if len(self._held) >= HELD:
                self._held.clear()  # a gap again, which `filled` finds
            self._held.append(frame)
            return Verdict.GAP
        if self._is_old(frame.position):
            return Verdict.OLD
        if self.position is None or not frame.position.follows(self.position):
            self.filling = True
            self._held = [frame]
            return Verdict.GAP
        self.put(frame.position, frame.envelope, together=frame.together and bool(self.worker))
        return Verdict.NEXT

    def put(self, position: Position, envelope: bytes, *, together: bool = False) -> None:
        """Add an envelope that stands for everything up to ``position``, unless that is known."""
        if self._is_old(position):
            return  # a repair read it while the feed learnt it elsewhere: positions never go back
        self.position = position
        self._open.append((position, envelope))
        if not together:
            self.release()

    def release(self, until: Position | None = None) -> None:
        """Show what has arrived, up to ``until``: its flush is complete (None: all of it)."""
        last = len(self._open)
        if until is not None:
            arrived = enumerate(self._open, 1)
            last = max((number for number, (at, _) in arrived if _covers(until, at)), default=0)
        for _ in range(last):
            self._show(*self._open.popleft())

    def _show(self, position: Position, envelope: bytes) -> None:
        self.shown = position
        self._tick.append(envelope)
        self._recent.append((position, envelope))
        self._recent_bytes += len(envelope)
        while len(self._recent) > RECENT or (
            self._recent_bytes > RECENT_BYTES and len(self._recent) > 1
        ):
            self._recent_bytes -= len(self._recent.popleft()[1])

    @property
    def open(self) -> bool:
        """Whether something has arrived that is not shown, since its flush is not complete."""
        return bool(self._open)

    def has_reached(self, position: Position) -> bool:
        """Whether everything up to ``position`` has arrived."""
        return not self.filling and self.position is not None and _covers(self.position, position)

    def filled(self) -> Verdict:
        """The gap is closed: add what was held back; GAP if there is another one behind it."""
        self.filling = False
        held, self._held = self._held, []
        for number, frame in enumerate(held):
            if self.take(frame) is Verdict.GAP:
                self._held = held[number:]
                return Verdict.GAP
        return Verdict.NEXT

    def lose_patience(self) -> None:
        """Show what was open at the last call already: its flush will not be completed."""
        if self._overdue is not None:
            self.release(self._overdue)
        self._overdue = self._open[-1][0] if self._open else None

    def end_tick(self) -> list[bytes]:
        """Give this tick's envelopes."""
        envelopes, self._tick = self._tick, []
        return envelopes

    @property
    def fresh(self) -> bool:
        """Whether there is something to show in this tick."""
        return bool(self._tick)

    def after(self, have: Position) -> list[bytes] | None:
        """What a viewer at ``have`` still needs to see what is shown; None if that is unknown."""
        if self.shown is None or self.shown == have:
            return []
        recent = list(self._recent)
        for number, (position, _) in enumerate(recent):
            if position.follows(have):
                return [envelope for _, envelope in recent[number:]]
        return None

    def is_behind(self, have: Position) -> bool:
        """Whether frames up to ``have`` were published but are not shown here yet."""
        at = self.shown
        return at is not None and at.epoch == have.epoch and at.offset < have.offset

    def _is_old(self, position: Position) -> bool:
        return self.position is not None and _covers(self.position, position)


def _covers(at: Position, other: Position) -> bool:
    return at.epoch == other.epoch and at.offset >= other.offset
