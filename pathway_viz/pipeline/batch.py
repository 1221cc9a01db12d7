"""Netting, coalescing and bounding of changes: values in, values out, no I/O.

A commit's changes arrive in any order; `CommitBuffer` nets them per key. Between two frames
`Pending` coalesces commits per key, so that the last one wins and none is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any, Final

import msgspec


class Gone:
    """Stands for a row that was deleted."""


GONE: Final = Gone()
Row = Any  # whatever the source gives; encoded later, by the publishing thread


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame has to say: changes per key, or rows in order.

    ``dropped`` rows of an append topic were lost to the bound since the last batch.
    """

    commit: int
    changes: dict[Hashable, Row | Gone] = {}
    rows: tuple[Row, ...] = ()
    dropped: int = 0


class CommitBuffer:
    """The changes of one commit of a keyed topic, netted per key.

    An update arrives as a delete and an insert of the same key, in either order: the insert wins.
    """

    def __init__(self) -> None:
        self._changes: dict[Hashable, Row | Gone] = {}

    def add(self, key: Hashable, row: Row, *, is_addition: bool) -> None:
        """Take one change."""
        if is_addition:
            self._changes[key] = row
        else:
            self._changes.setdefault(key, GONE)

    def take(self) -> dict[Hashable, Row | Gone]:
        """Give the netted changes and begin anew."""
        taken, self._changes = self._changes, {}
        return taken


class Pending:
    """What waits for the next frame of one topic. Not thread-safe: its owner locks.

    Keyed changes are bounded by the number of keys. Rows of an append topic are bounded by
    ``limit``; the policy is *drop oldest, count them*.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changes: dict[Hashable, Row | Gone] = {}
        self._rows: deque[Row] = deque()
        self._dropped = 0
        self._commit = 0

    def __bool__(self) -> bool:
        return bool(self._changes or self._rows)

    def merge(self, commit: int, changes: dict[Hashable, Row | Gone]) -> None:
        """Add a commit of a keyed topic; the last change of a key wins."""
        self._changes.update(changes)
        self._commit = max(self._commit, commit)

    def extend(self, commit: int, rows: Sequence[Row]) -> None:
        """Add rows of an append topic, in order."""
        self._rows.extend(rows)
        self._commit = max(self._commit, commit)
        while len(self._rows) > self._limit:
            self._rows.popleft()
            self._dropped += 1

    def take(self) -> Batch | None:
        """Give everything as one batch and begin anew; None if there is nothing."""
        if not self:
            return None
        batch = Batch(
            commit=self._commit,
            changes=self._changes,
            rows=tuple(self._rows),
            dropped=self._dropped,
        )
        self._changes, self._dropped = {}, 0
        self._rows.clear()
        return batch
