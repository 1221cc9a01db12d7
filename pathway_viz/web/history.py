"""Points of the past: a topic's log between two times, as columns. Off the live path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pathway_viz import wire
from pathway_viz.bus.types import LogEntry
from pathway_viz.conf import Settings
from pathway_viz.topics import Topic, TopicKind
from pathway_viz.web.hub import Hub
from pathway_viz.web.shared import Shared

_SHARED_S: Final = 1.0
_FUTURE_MS: Final = 60_000  # the clocks of Redis and node may differ by so much
_rows = msgspec.json.Decoder(list[list[object]])
_keyed = msgspec.json.Decoder(dict[str, list[object]])
Point = tuple[int, str, list[object]]


class Histories:
    """Answers requests for the past; viewers that ask the same within a second share an answer."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._answers: Shared[wire.HistoryRequest, wire.History] = Shared(self._look, _SHARED_S)

    async def answer(self, request: wire.HistoryRequest) -> bytes:
        """The `history` envelope for a request.

        Raises:
            BusUnreachable: if Redis does not answer.

        """
        wanted = max(1, min(request.points, self._settings.history_points))
        start = max(0, request.start) // 1000 * 1000
        asked = msgspec.structs.replace(request, id="", start=start, points=wanted)
        found = await self._answers.get(asked)
        return wire.encode(msgspec.structs.replace(found, id=request.id))

    async def _look(self, asked: wire.HistoryRequest) -> wire.History:
        topic, reader = self._hub.follower.catalogue[asked.topic], self._hub.reader
        end = asked.end or int(time.time() * 1000) + _FUTURE_MS
        limit = self._settings.history_points
        entries = await reader.log_range(topic.name, asked.start, end, limit)
        oldest = await reader.oldest(topic.name)
        return await asyncio.to_thread(answer, asked, topic, entries, oldest)


def answer(
    request: wire.HistoryRequest, topic: Topic, entries: Sequence[LogEntry], oldest: int | None
) -> wire.History:
    """The points in ``entries`` of the columns asked for, thinned out to the number asked for.

    Thinning keeps the last point of each of ``points`` equal spans of time, and says how long
    a span is in ``resolution``.
    """
    at = [topic.column_names.index(c) for c in request.columns if c in topic.column_names]
    points = [point for entry in entries for point in _points(entry, topic.kind)]
    resolution, kept = _thin(points, request.points)
    return wire.History(
        id=request.id,
        topic=topic.name,
        start=max(request.start, oldest or 0),
        end=kept[-1][0] if kept else request.start,
        resolution=resolution,
        complete=oldest is None or oldest <= request.start,
        times=[time for time, _, _ in kept],
        keys=[key for _, key, _ in kept],
        columns={topic.column_names[i]: [row[i] for _, _, row in kept] for i in at},
    )


def _points(entry: LogEntry, kind: TopicKind) -> Iterator[Point]:
    if kind is TopicKind.KEYED:
        for key, row in _keyed.decode(b"{%s}" % entry.upserts).items():
            yield entry.commit, key, row
    else:
        for row in _rows.decode(b"[%s]" % entry.upserts):
            yield entry.commit, "", row


def _thin(points: list[Point], most: int) -> tuple[int, list[Point]]:
    if len(points) <= most:
        return 0, points
    resolution = max(1, -(-(points[-1][0] - points[0][0] + 1) // most))
    spans = {(time // resolution, key): (time, key, row) for time, key, row in points}
    return resolution, list(spans.values())[-most:]
