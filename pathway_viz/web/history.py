"""Points of the past: a topic's log between two times, as columns. Off the live path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pathway_viz import wire
from pathway_viz.bus.types import LogEntry
from pathway_viz.topics import Topic, TopicKind

_rows = msgspec.json.Decoder(list[list[object]])
_keyed = msgspec.json.Decoder(dict[str, list[object]])
Point = tuple[int, str, list[object]]


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
