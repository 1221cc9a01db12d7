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
        if "rows" in frame:
            self._count(len(frame["rows"]), frame.get("count"))
            self.events += frame["rows"]
        return "applied"

    def _replace(self, position: Position, frame: dict[str, Any]) -> str:
        self.position = position
        self.rows = dict(frame.get("rows", {}))
        self.events = [row for _, rows in frame.get("batches", ()) for row in rows]
        self._count(len(self.events), frame.get("count"))
        return "applied"

    def _count(self, came: int, now: int | None) -> None:
        have = self.so_far
        if have is not None and now is not None:
            self.skipped += max(0, now - came - have)
        if now is not None:
            self.so_far = now
        elif have is not None:
            self.so_far = have + came

    def state(self) -> dict[str, Any]:
        """All of it, comparable."""
        return {
            "position": str(self.position) if self.position else "",
            "rows": self.rows,
            "events": self.events,
            "skipped": self.skipped,
        }
