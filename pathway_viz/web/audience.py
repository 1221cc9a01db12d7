"""An audience: the viewers of the same topics. What is told to it costs most of them one write.

Viewers who take what they are sent as it comes are *in step*: a message is written to each of them
and noted once, for all; into their outboxes it is entered later, many messages at a time. Whoever
falls behind, or has a link that must be asked first, is served through its outbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pathway_viz.web.links import Write
from pathway_viz.web.message import Message
from pathway_viz.web.outbox import Notes
from pathway_viz.web.viewer import Viewer

_MOST_NOTED: Final = 128


class Audience:
    """Tells its viewers what comes; up to ``noted_bytes`` are noted before they are entered."""

    def __init__(self, topics: tuple[str, ...], noted_bytes: int) -> None:
        self.topics = topics
        self._noted_bytes = noted_bytes
        self._notes = Notes()
        self._in_step: dict[Viewer, Write] = {}
        self._others: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._in_step) + len(self._others)

    def __iter__(self) -> Iterator[Viewer]:
        yield from self._in_step
        yield from self._others

    def add(self, viewer: Viewer) -> None:
        """Tell ``viewer``, too, what comes next."""
        viewer.audience = self
        write = viewer.outbox.keep_step(self._notes, viewer.fall_out_of_step)
        if write is None:
            self._others.add(viewer)
        else:
            self._in_step[viewer] = write
            self._others.discard(viewer)

    def discard(self, viewer: Viewer) -> None:
        """Tell ``viewer`` nothing more."""
        self.fall_out(viewer)
        self._others.discard(viewer)
        viewer.audience = None

    def fall_out(self, viewer: Viewer) -> None:
        """Serve ``viewer`` through its outbox until it can keep step again."""
        if self._in_step.pop(viewer, None) is not None:
            viewer.outbox.leave_step()
            self._others.add(viewer)

    def tell(self, message: Message) -> list[Viewer]:
        """Send a message to all; gives those that lag and did not get it."""
        others = list(self._others)  # who falls out of step by this message has got it
        self._write(message)
        return [viewer for viewer in others if not viewer.outbox.put(message)]

    def _write(self, message: Message) -> None:
        if not self._in_step:
            return
        self._notes.add(message)
        frame = message.frame
        gone: list[Write] = []
        for write in list(self._in_step.values()):
            try:
                write(frame)
            except RuntimeError:  # the transport is gone, which the reading side is told too
                gone.append(write)
        for viewer in [v for v, write in self._in_step.items() if write in gone] if gone else ():
            self.fall_out(viewer)
        if len(self._notes) >= _MOST_NOTED or self._notes.bytes >= self._noted_bytes:
            self.settle()

    def settle(self) -> None:
        """Enter what is noted into the outboxes, and see who keeps step from now on."""
        for viewer in list(self._in_step):
            if not viewer.outbox.enter():
                self.fall_out(viewer)
        self._notes.clear()
        for viewer in list(self._others):
            self.add(viewer)
