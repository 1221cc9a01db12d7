"""Topics: their names, schemas and Redis keys. Nothing else spells a Redis key."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from pathway_viz.errors import TopicError

NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


class ColumnType(StrEnum):
    """How a column's values look on the wire (the table is in docs/protocol.md)."""

    BOOL = "bool"
    INT = "int"  # a number; beyond ±2^53 a string of digits
    FLOAT = "float"  # a number; NaN and ±Infinity are null and flagged in the schema
    STR = "str"
    BYTES = "bytes"  # base64
    DATETIME = "datetime"  # ISO 8601 with zone
    DATETIME_NAIVE = "datetime_naive"  # ISO 8601 without zone
    TIMESTAMP = "timestamp"  # a number: Unix milliseconds
    DURATION = "duration"  # a number: seconds
    DECIMAL = "decimal"  # a string
    JSON = "json"  # any JSON value
    POINTER = "pointer"  # a string
    ARRAY = "array"  # nested lists of numbers
    TUPLE = "tuple"  # a list
    ANY = "any"  # JSON if it can be, else its text

    @property
    def numeric(self) -> bool:
        """Whether a gauge or a chart can draw values of this type."""
        return self in _NUMERIC

    @property
    def temporal(self) -> bool:
        """Whether values of this type are points in time."""
        return self in _TEMPORAL


_NUMERIC: Final = frozenset(
    {
        ColumnType.INT,
        ColumnType.FLOAT,
        ColumnType.DECIMAL,
        ColumnType.DURATION,
        ColumnType.BOOL,
        ColumnType.ANY,
    }
)
_TEMPORAL: Final = frozenset({ColumnType.DATETIME, ColumnType.DATETIME_NAIVE, ColumnType.TIMESTAMP})


class TopicKind(StrEnum):
    """Whether rows are replaced by key or only ever added."""

    KEYED = "keyed"
    APPEND = "append"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One named, typed column of a topic."""

    name: str
    type: ColumnType


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One published live table, as it stands in the catalogue.

    ``nonfinite`` names the float columns in which NaN or ±Infinity has been seen, so that a
    null there may mean either. ``shared`` topics are written by ``send()`` from any number of
    processes and have no owner; all others belong to one publisher at a time. ``problems`` are
    sentences about what could not be carried, shown to whoever looks at the topic. ``kind_hint``
    and ``options_hint`` are what the admin offers first when a widget is made from the topic.
    """

    name: str
    title: str
    kind: TopicKind
    columns: tuple[Column, ...]
    shared: bool = False
    worker: str = ""
    nonfinite: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    kind_hint: str = "table"
    options_hint: dict[str, object] = {}

    def column(self, name: str) -> Column | None:
        """The column called ``name``, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def is_keyed(self) -> bool:
        """Whether its rows are replaced by key."""
        return self.kind is TopicKind.KEYED

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of a row's values."""
        return tuple(column.name for column in self.columns)


def check_name(name: str) -> str:
    """Return ``name`` if it can name a topic, else raise TopicError."""
    if not NAME_PATTERN.fullmatch(name):
        raise TopicError(
            f"{name!r} cannot name a topic: expected 1 to 100 of a-z, 0-9, '_', '.', '-', "
            "starting with a letter or digit."
        )
    return name


def slugify(text: str) -> str:
    """A topic or widget name made from free text: 'Orders / min' → 'orders-min'."""
    slug = re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-._")[:100]
    return slug or "topic"


class Keys(msgspec.Struct, frozen=True):
    """The Redis keys and channels under one prefix.

    The keys of one topic share the hash tag ``{topic}``, so that a Redis Cluster keeps them
    together and one script may touch them all.
    """

    prefix: str = "pv"

    def meta(self, topic: str) -> str:
        """Hash: epoch, offset, ms, kind, publisher, commit, heartbeat."""
        return f"{self.prefix}:{{{topic}}}:meta"

    def rows(self, topic: str) -> str:
        """Hash: JSON-encoded key → JSON-encoded row (keyed topics)."""
        return f"{self.prefix}:{{{topic}}}:rows"

    def log(self, topic: str) -> str:
        """Stream: one entry per frame, entry id ``ms-offset``."""
        return f"{self.prefix}:{{{topic}}}:log"

    def all_of(self, topic: str) -> tuple[str, str, str]:
        """What the scripts touch: meta, rows, log."""
        return self.meta(topic), self.rows(topic), self.log(topic)

    def channel(self, topic: str) -> str:
        """Pub/sub channel of the frames."""
        return f"{self.prefix}:{{{topic}}}"

    def seal(self, worker: str) -> str:
        """Pub/sub channel: topic → position, whenever a flush of the worker is complete."""
        return f"{self.prefix}:seal:{worker}"

    def topic_of_channel(self, channel: str) -> str:
        """The topic whose frames travel on ``channel``."""
        return channel[len(self.prefix) + 2 : -1]

    def worker_of_seal(self, channel: str) -> str:
        """The worker whose flushes are sealed on ``channel``; empty if it is another channel."""
        start = self.seal("")
        return channel[len(start) :] if channel.startswith(start) else ""

    @property
    def catalogue(self) -> str:
        """Hash: topic name → encoded Topic."""
        return f"{self.prefix}:topics"

    @property
    def dashboards(self) -> str:
        """Hash: ``worker/slug`` → encoded DashboardSpec, what code declares."""
        return f"{self.prefix}:dashboards"

    @property
    def news(self) -> str:
        """Pub/sub channel: ``topic NAME``, ``dashboard WORKER/SLUG`` or ``edit SLUG``."""
        return f"{self.prefix}:news"
