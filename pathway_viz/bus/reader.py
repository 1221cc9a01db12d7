"""The reading end of the bus: states, logs and the catalogue, for web nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

import msgspec

from pathway_viz.bus.connect import connect_async, reaching
from pathway_viz.bus.scripts import Call, run
from pathway_viz.bus.types import BusOptions, LogEntry, Snapshot, TopicState
from pathway_viz.topics import Keys, Topic, TopicKind
from pathway_viz.widgets import DashboardSpec
from pathway_viz.wire import Position

_T = TypeVar("_T")
_STATE_FIELDS: Final = ("epoch", "ms", "offset", "kind", "commit", "heartbeat", "publisher")


class Reader:
    """Reads what a node needs. Every method raises BusUnreachable when Redis does not answer.

    Calls may run side by side, each on a connection of its own, and may be cancelled.
    """

    def __init__(self, options: BusOptions) -> None:
        self._url = options.url
        self._keys = Keys(options.prefix)
        self._client = connect_async(options.url)

    async def ping(self) -> None:
        """Make sure that Redis answers."""
        with reaching(self._url):
            await self._client.ping()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def snapshot(self, topic: str, rows: int) -> Snapshot | None:
        """A topic's state and position, read in one step; None if it was never published.

        ``rows`` bounds how many of the latest log entries of an append topic are read.
        """
        with reaching(self._url):
            reply = await run(self._client, Call("snapshot", self._keys.all_of(topic), (rows,)))
        return None if reply is None else _snapshot(topic, reply)

    async def log_since(
        self, topic: str, have: Position, limit: int, state: TopicState | None = None
    ) -> list[LogEntry] | None:
        """Exactly the frames after ``have``, oldest first.

        None if they cannot be told: another epoch, a position ahead of the topic's, frames that
        have left the log, or more than ``limit`` of them. ``state`` is the topic's, if it was read
        just now.
        """
        state = state or (await self.states([topic])).get(topic)
        if state is None or state.position.epoch != have.epoch:
            return None
        if state.position.offset < have.offset:
            return None
        entries = await self._range(topic, have.epoch, f"({have.ms}-{have.offset}", "+", limit + 1)
        complete = state.position.offset == have.offset or bool(entries)
        steps = pairwise([have, *(entry.position for entry in entries)])
        if not complete or len(entries) > limit or not all(b.follows(a) for a, b in steps):
            return None
        return entries

    async def log_range(self, topic: str, start: int, end: int, limit: int) -> list[LogEntry]:
        """The frames between two times (Unix milliseconds): the latest ``limit``, oldest first."""
        with reaching(self._url):
            found: Any = await self._client.xrevrange(
                self._keys.log(topic), end, start, count=limit
            )
        return [_entry("", *raw) for raw in reversed(found)]

    async def oldest(self, topic: str) -> int | None:
        """When the oldest frame that the log still holds was written (Unix milliseconds)."""
        with reaching(self._url):
            found: Any = await self._client.xrange(self._keys.log(topic), count=1)
        return _entry("", *found[0]).position.ms if found else None

    async def states(self, topics: Sequence[str]) -> dict[str, TopicState]:
        """The states of those ``topics`` that have been published, as they are at one moment."""
        with reaching(self._url):
            pipeline = self._client.pipeline(transaction=True)
            pipeline.time()
            for topic in topics:
                pipeline.hmget(self._keys.meta(topic), *_STATE_FIELDS)
            (seconds, micros), *replies = await pipeline.execute()
        now = seconds * 1000 + micros // 1000
        found = zip(topics, replies, strict=True)
        return {topic: _state(reply, now) for topic, reply in found if reply[0]}

    async def catalogue(self) -> dict[str, Topic]:
        """Every topic that was ever declared, by name."""
        entries = await self._values(self._keys.catalogue, Topic)
        return {topic.name: topic for topic in sorted(entries, key=lambda topic: topic.name)}

    async def dashboards(self) -> list[DashboardSpec]:
        """Every dashboard that code declares."""
        return await self._values(self._keys.dashboards, DashboardSpec)

    async def _values(self, key: str, kind: type[_T]) -> list[_T]:
        with reaching(self._url):
            values: Any = await self._client.hvals(key)
        return [msgspec.json.decode(value, type=kind) for value in values]

    async def _range(
        self, topic: str, epoch: str, start: str, end: str, count: int
    ) -> list[LogEntry]:
        with reaching(self._url):
            found: Any = await self._client.xrange(self._keys.log(topic), start, end, count=count)
        return [_entry(epoch, *raw) for raw in found]


def _entry(epoch: str, entry_id: bytes, fields: dict[bytes, bytes]) -> LogEntry:
    ms, offset = map(int, entry_id.split(b"-"))
    return LogEntry(
        position=Position(epoch, ms, offset),
        commit=ms - int(fields[b"c"]),
        upserts=fields[b"b"],
        deletes=fields.get(b"d", b""),
        dropped=int(fields[b"x"]) if b"x" in fields else None,
    )


def _snapshot(topic: str, reply: Sequence[Any]) -> Snapshot:
    epoch, ms, offset, kind, commit, count, dropped, content = reply
    snapshot = Snapshot(
        topic=topic,
        kind=TopicKind(kind.decode()),
        position=Position(epoch.decode(), int(ms), int(offset)),
        commit=int(commit),
        count=int(count),
        dropped=int(dropped),
    )
    if snapshot.kind is TopicKind.KEYED:
        return msgspec.structs.replace(snapshot, rows=_pairs(content))
    return msgspec.structs.replace(snapshot, batches=_batches(reversed(content)))


def _pairs(flat: Sequence[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _batches(raw: Iterable[tuple[bytes, list[bytes]]]) -> tuple[tuple[int, bytes], ...]:
    entries = (_entry("", key, dict(_pairs(fields))) for key, fields in raw)
    return tuple((entry.commit, entry.upserts) for entry in entries if entry.upserts)


def _state(reply: Sequence[bytes | None], now: int) -> TopicState:
    epoch, ms, offset, kind, commit, heartbeat, publisher = (
        (part or b"").decode() for part in reply
    )
    return TopicState(
        position=Position(epoch, int(ms), int(offset)),
        kind=TopicKind(kind),
        commit=int(commit),
        heartbeat=int(heartbeat or 0),
        owned=bool(publisher),
        now=now,
    )
