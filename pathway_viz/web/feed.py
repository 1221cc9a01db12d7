"""One topic as a node follows it: its position, this tick's envelopes, what came lately. Pure."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from pathway_viz.bus.types import Frame
from pathway_viz.wire import Position

RECENT: Final = 512  # envelopes kept for viewers that are just joining
HELD: Final = 5000  # frames kept back while a gap is being filled; beyond, a snapshot is due


class Verdict(Enum):
    """What a frame means to a feed."""

    NEXT = "next"  # it was added
    OLD = "old"  # it is known already
    GAP = "gap"  # something before it is missing; it is held back


class Feed:
    """Keeps the frames of a topic in order and without holes.

    ``position`` is where the feed stands: everything up to it was given out. None: it has not seen
    anything yet.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.position: Position | None = None
        self.filling = False
        self.under_repair = False
        self._recent: deque[tuple[Position, str]] = deque(maxlen=RECENT)
        self._tick: list[str] = []
        self._held: list[Frame] = []

    def begin_at(self, position: Position) -> None:
        """Take ``position`` for granted, if nothing has been seen yet."""
        self.position = self.position or position

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
        self.put(frame.position, frame.envelope.decode())
        return Verdict.NEXT

    def put(self, position: Position, envelope: str) -> None:
        """Add an envelope that stands for everything up to ``position``."""
        self.position = position
        self._recent.append((position, envelope))
        self._tick.append(envelope)

    def filled(self) -> Verdict:
        """The gap is closed: add what was held back; GAP if there is another one behind it."""
        self.filling = False
        held, self._held = self._held, []
        for number, frame in enumerate(held):
            if self.take(frame) is Verdict.GAP:
                self._held = held[number:]
                return Verdict.GAP
        return Verdict.NEXT

    def end_tick(self) -> list[str]:
        """Give this tick's envelopes and begin the next tick."""
        envelopes, self._tick = self._tick, []
        return envelopes

    def after(self, have: Position) -> list[str] | None:
        """What a viewer at ``have`` still needs to stand where the feed stands; None if unknown."""
        if self.position is None or self.position == have:
            return []
        recent = list(self._recent)
        for number, (position, _) in enumerate(recent):
            if position.follows(have):
                return [envelope for _, envelope in recent[number:]]
        return None

    def is_behind(self, have: Position) -> bool:
        """Whether frames up to ``have`` were published but have not arrived here yet."""
        at = self.position
        return at is not None and at.epoch == have.epoch and at.offset < have.offset

    def _is_old(self, position: Position) -> bool:
        at = self.position
        return at is not None and at.epoch == position.epoch and position.offset <= at.offset
