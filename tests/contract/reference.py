"""What a viewer's state of a topic is, in Python: the reference for `browser/state.js`."""

from __future__ import annotations

from typing import Any

from pathway_viz.wire import Position


class Topic:
    """Applies snapshots and updates; ignores what is old, refuses what lies behind a hole."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.rows: dict[str, list[Any]] = {}
        self.events: list[list[Any]] = []
        self.so_far: int | None = None
        self.dropped = 0
        self.skipped = 0

    def take(self, kind: str, frame: dict[str, Any]) -> str:
        """Apply one frame; gives what became of it: applied, old or gap."""
        position = Position.parse(frame["position"])
        if kind == "snapshot":
            return self._replace(position, frame)
        have = self.position
        if have is None or have.epoch != position.epoch or position.offset > have.offset + 1:
            return "gap"
        if position.offset <= have.offset:
            return "old"
        self.position = position
        for key in frame.get("deletes", ()):
            self.rows.pop(key, None)
        self.rows.update(frame.get("upserts", {}))
        self.events += frame.get("rows", ())
        self.so_far = (self.so_far or 0) + len(frame.get("rows", ()))
        self._lose(frame.get("dropped", self.dropped))
        return "applied"

    def _replace(self, position: Position, frame: dict[str, Any]) -> str:
        self.position = position
        self.rows = dict(frame.get("rows", {}))
        self.events = [row for _, rows in frame.get("batches", ()) for row in rows]
        count, dropped = frame.get("count", 0), frame.get("dropped", 0)
        if self.so_far is None:
            self.dropped = dropped
        else:
            self.skipped += max(0, count - len(self.events) - self.so_far)
        self.so_far = count
        self._lose(dropped)
        return "applied"

    def _lose(self, dropped: int) -> None:
        self.skipped += max(0, dropped - self.dropped)
        self.dropped = dropped

    def state(self) -> dict[str, Any]:
        """All of it, comparable."""
        return {
            "position": str(self.position) if self.position else "",
            "rows": self.rows,
            "events": self.events,
            "skipped": self.skipped,
        }
