"""Handles: what the public calls give back, and what values are sent to."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.pipeline import options
from pathway_viz.pipeline.encode import text_key, type_of
from pathway_viz.pipeline.runtime import runtime
from pathway_viz.pipeline.source import Source
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind

TIME = "time"
VALUE = "value"


class Named:
    """A topic that values are sent to by name, from any thread and any process.

    ``columns`` None: learnt from the first row. ``key`` names the columns that identify a row;
    without it rows are events.
    """

    def __init__(
        self, name: str, title: str, columns: Sequence[Column] | None, key: Sequence[str]
    ) -> None:
        self._key = tuple(key)
        self._known = columns is not None
        topic = Topic(
            name=name,
            title=title,
            kind=TopicKind.KEYED if key else TopicKind.APPEND,
            columns=tuple(columns or ()),
            shared=True,
            worker=options.current().worker_name,
        )
        self.source = Source(
            topic,
            limit=options.current().buffer_rows,
            key=text_key,
            wake=runtime().wake,
        )

    @property
    def topic(self) -> Topic:
        """The topic as far as it is known."""
        return self.source.topic

    def learn(self, row: Mapping[str, object]) -> None:
        """Take columns that were not declared, and types that were not known, from a row."""
        if self._known and not any(c.type is ColumnType.ANY for c in self.topic.columns):
            return
        declared = {column.name: column for column in self.topic.columns}
        names = declared if self._known else row
        columns = tuple(_learnt(name, declared.get(name), row.get(name)) for name in names)
        self._known = True
        if columns != self.topic.columns:
            self.source.learn(msgspec.structs.replace(self.topic, columns=columns))

    def send(self, row: Mapping[str, object], commit: int) -> None:
        """Publish one row."""
        self.learn(row)
        self._check(row)
        values = tuple(row.get(name) for name in self.topic.column_names)
        key: Hashable = tuple(row[name] for name in self._key) if self._key else None
        runtime().thread()
        self.source.send(commit, values, key)

    def _check(self, row: Mapping[str, object]) -> None:
        unknown = [name for name in row if name not in self.topic.column_names]
        missing = [name for name in self._key if name not in row]
        if unknown or missing:
            raise DeclarationError(
                f"send() to {self.topic.name!r}: "
                + (f"unknown column {unknown[0]!r}" if unknown else f"{missing[0]!r} is missing")
                + f"; the columns are {', '.join(self.topic.column_names)}."
            )


def _learnt(name: str, declared: Column | None, value: object) -> Column:
    if declared is not None and (declared.type is not ColumnType.ANY or value is None):
        return declared
    return Column(name=name, type=ColumnType.ANY if value is None else type_of(value))


class Handle:
    """A declared widget. Where its source is a name, values are sent to it.

    Attributes:
        name: the widget's name in its dashboard.
        topic: the name of the topic it looks at.

    """

    def __init__(self, name: str, topic: str, named: Named | None, values: Sequence[str]) -> None:
        self.name = name
        self.topic = topic
        self._named = named
        self._values = tuple(values)

    def __repr__(self) -> str:
        return f"<Handle {self.name!r} of topic {self.topic!r}>"

    def send(self, value: Any, *, at: dt.datetime | float | None = None) -> None:
        """Publish a value; never waits, not even for Redis.

        Args:
            value: a number for a stat, a gauge or a chart of one column; a dict of columns to
                values for a chart of several and for a table.
            at: when it was, as a datetime or in Unix seconds; now if left out. A value out of
                order takes its place in time.

        Raises:
            DeclarationError: if the widget looks at a Pathway table, or the columns are not the
                topic's.

        """
        if self._named is None:
            raise DeclarationError(
                f"{self!r} looks at a Pathway table, which publishes itself; send() needs a widget "
                "declared with a name, as in pv.gauge('cpu')."
            )
        row = dict(value) if isinstance(value, Mapping) else {self._only_column(value): value}
        if TIME in self._named.topic.column_names:
            row.setdefault(TIME, time.time() if at is None else at)
        self._named.send(row, int(time.time() * 1000))

    def flush(self, timeout: float = 2.0) -> bool:
        """Wait until all that was sent is published; False if that takes longer (seconds)."""
        return runtime().thread().flush(timeout)

    def _only_column(self, value: object) -> str:
        if len(self._values) == 1:
            return self._values[0]
        expected = ", ".join(self._values) or "column names"
        raise DeclarationError(
            f"send() to {self.topic!r} needs a dict of {expected}, but got {type(value).__name__}."
        )


def named_columns(values: Sequence[str], kind: ColumnType) -> list[Column]:
    """The columns of a topic of numbers: its time, then its values."""
    timed = Column(name=TIME, type=ColumnType.TIMESTAMP)
    return [timed, *(Column(name=name, type=kind) for name in values)]
