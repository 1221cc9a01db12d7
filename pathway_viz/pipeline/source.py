"""Sources: where a topic's changes come from, and its state as it was last published."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final

import msgspec

from pathway_viz.bus.types import Change
from pathway_viz.pipeline.batch import Batch, CommitBuffer, Gone, Pending, Row
from pathway_viz.pipeline.encode import RowEncoder
from pathway_viz.topics import Topic

RECALLED_ROWS: Final = 1000
RESTORED: Final = 0  # the engine's time of what its persistence has restored


class Source:
    """One topic's way from the engine (or ``send``) to the publishing thread.

    The engine's side (`change`, `end_commit`) only stores. The thread's side (`collect`, `encode`)
    encodes, and keeps the encoded state of a keyed topic, so that it can be published whole again.

    Args:
        topic: the topic; its schema may grow as values are learnt.
        limit: the most rows an append topic holds back.
        key: turns a stored key into its JSON on the wire.
        order: sorts the rows of one commit of an append topic; None: as they come.
        wake: told whenever there is something to publish.
        lock: held while commits become visible; sources that share it can be taken at one moment.

    """

    def __init__(
        self,
        topic: Topic,
        *,
        limit: int,
        key: Callable[[Hashable], bytes],
        wake: Callable[[], None],
        order: Callable[[Row], Any] | None = None,
        lock: threading.RLock | None = None,
    ) -> None:
        self.topic = topic
        self.whole = topic.is_keyed and not topic.shared
        self._key, self._wake, self._order = key, wake, order
        self._is_keyed = topic.is_keyed
        self._encoder = RowEncoder(topic.columns)
        self._commit = CommitBuffer()
        self._appended: list[Row] = []
        self._pending = Pending(limit)
        self._lock = lock or threading.RLock()
        self._ended: deque[tuple[int, Any]] = deque()
        self.waits_for_others = False
        self._state: dict[bytes, bytes] = {}
        self._latest: deque[bytes] = deque(maxlen=RECALLED_ROWS)
        self._restored: list[Row] = []

    def change(self, key: Hashable, row: Row, is_addition: bool) -> None:  # noqa: FBT001 - fast
        """Store one change of the commit under way."""
        if self._is_keyed:
            self._commit.add(key, row, is_addition=is_addition)
        elif is_addition:
            self._appended.append(row)

    def end_commit(self, time: int) -> None:
        """The commit is complete in this table; seen once it is in the others as well."""
        if self._is_keyed:
            self._ended.append((time, self._commit.take()))
        else:
            self._ended.append((time, self._in_order(self._appended)))
            self._appended = []
        if not self.waits_for_others:
            self.show(time)
            self._wake()

    def show(self, until: int) -> None:
        """Everything up to a commit becomes visible, all of it together."""
        with self._lock:
            while self._ended and self._ended[0][0] <= until:
                time, content = self._ended.popleft()
                if self._is_keyed:
                    self._pending.merge(time, content)
                elif time == RESTORED:
                    self._restored = list(content)
                else:
                    self._pending.extend(time, content)

    def _in_order(self, rows: list[Row]) -> list[Row]:
        if self._order is None or any(self._order(row) is None for row in rows):
            return rows
        return sorted(rows, key=self._order)

    def send(self, time: int, row: Row, key: Hashable = None) -> None:
        """A commit of one row, from any thread."""
        with self._lock:
            if self._is_keyed:
                self._pending.merge(time, {key: row})
            else:
                self._pending.extend(time, [row])
        self._wake()

    def hint(self, kind: str, options: dict[str, object]) -> None:
        """Remember the first widget that was declared on the topic: what the admin offers first."""
        if not self.topic.options_hint:
            self.topic = msgspec.structs.replace(self.topic, kind_hint=kind, options_hint=options)

    def learn(self, topic: Topic) -> None:
        """Use a topic whose columns have become known."""
        self.topic = topic
        self._encoder = RowEncoder(topic.columns)

    def collect(self) -> Batch | None:
        """Take what waits, without encoding it; None if nothing does."""
        with self._lock:
            batch = self._pending.take()
            return Batch(commit=RESTORED) if batch is None and self._restored else batch

    def encode(self, batch: Batch) -> Change:
        """A batch as one frame."""
        change = self._keyed(batch) if self._is_keyed else self._append(batch)
        self._learn_problems()
        return change

    def everything(self, commit: int, missing: int = 0, sent: Change | None = None) -> Change:
        """The whole state, as the first frame of a new epoch.

        Of an append topic these are the rows that Redis is ``missing`` of what was published, those
        of ``sent`` which it did not take, and for a log that is gone all that are remembered.
        """
        new = sent.rows if sent else ()
        before = list(self._latest)[: len(self._latest) - len(new)]
        again = before[len(before) - min(missing, len(before)) :]
        return Change(
            topic=self.topic.name,
            kind=self.topic.kind,
            commit=commit,
            upserts=dict(self._state),
            rows=(*again, *new),
            recalled=tuple(self._latest),
            again=len(again),
            dropped=sent.dropped if sent else 0,
            replace=True,
            shared=self.topic.shared,
        )

    def _recall_restored(self) -> bool:
        """What the engine restored was published before: said again only if Redis lost it."""
        with self._lock:
            rows, self._restored = self._restored[-RECALLED_ROWS:], []
        self._latest.extend(self._encoder.encode(row) for row in rows)
        return bool(rows)

    def _append(self, batch: Batch) -> Change:
        restored = self._recall_restored()
        rows = tuple(self._encoder.encode(row) for row in batch.rows)
        self._latest.extend(rows)
        return Change(
            topic=self.topic.name,
            kind=self.topic.kind,
            commit=batch.commit,
            rows=rows,
            recalled=tuple(self._latest) if restored else (),
            dropped=batch.dropped,
            shared=self.topic.shared,
        )

    def _keyed(self, batch: Batch) -> Change:
        encoded = dict(self._encoded(batch))
        upserts = {key: row for key, row in encoded.items() if row is not None}
        deletes = tuple(key for key, row in encoded.items() if row is None)
        self._remember(upserts, deletes)
        change = Change(
            topic=self.topic.name,
            kind=self.topic.kind,
            commit=batch.commit,
            upserts=upserts,
            deletes=deletes,
            shared=self.topic.shared,
        )
        if not self.whole:
            return change
        self.whole = False
        return self.everything(batch.commit)

    def _encoded(self, batch: Batch) -> Iterator[tuple[bytes, bytes | None]]:
        for key, row in batch.changes.items():
            yield self._key(key), None if isinstance(row, Gone) else self._encoder.encode(row)

    def _remember(self, upserts: dict[bytes, bytes], deletes: Sequence[bytes]) -> None:
        self._state.update(upserts)
        for key in deletes:
            self._state.pop(key, None)

    def _learn_problems(self) -> None:
        nonfinite, problems = tuple(self._encoder.nonfinite), tuple(self._encoder.problems.values())
        if (nonfinite, problems) != (self.topic.nonfinite, self.topic.problems):
            self.topic = msgspec.structs.replace(self.topic, nonfinite=nonfinite, problems=problems)
