"""The messages between node and browser, and the frames that publishers encode.

The JavaScript twin is ``browser/wire.js``; both read the golden frames in ``tests/contract``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from pathway_viz.errors import ProtocolError
from pathway_viz.topics import Topic

PROTOCOL_VERSION: Final = 1
_POSITION: Final = re.compile(r"([a-z0-9]{1,32}):(\d{1,16})-(\d{1,16})")


class MessageType(StrEnum):
    """The types of envelopes."""

    # node → browser
    CONFIG = "config"
    SNAPSHOT = "snapshot"
    UPDATE = "update"
    STATUS = "status"
    ERROR = "error"
    # browser → node
    HELLO = "hello"
    ACK = "ack"
    # both: asked for by the browser, answered by the node
    HISTORY = "history"


class CloseCode(IntEnum):
    """Why a node closes a socket."""

    DRAINING = 1012  # the node stops: reconnect at once, with jitter
    PROTOCOL = 4400
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    NO_DASHBOARD = 4404
    TOO_SLOW = 4408
    TOO_LARGE = 4409
    TOO_MANY = 4429


class SnapshotReason(StrEnum):
    """Why a viewer gets a whole snapshot and not just what it missed."""

    JOIN = "join"  # it had no position
    GAP = "gap"  # its position has left the log, or is ahead of it
    EPOCH = "epoch"  # the topic began a new life
    LAG = "lag"  # it was too slow and its queue was dropped


class Liveness(StrEnum):
    """What a viewer may believe of a topic."""

    LIVE = "live"  # frames come
    IDLE = "idle"  # the publisher is alive, nothing changes
    STALE = "stale"  # the publisher's heartbeat is late, or Redis does not answer
    DEAD = "dead"  # the publisher has ended, or its heartbeat is missing for good
    UNKNOWN = "unknown"  # the topic has never been published


class Position(msgspec.Struct, frozen=True):
    """Where in a topic's life a state stands: ``epoch:ms-offset``.

    Positions of one epoch are ordered by ``offset``; positions of two epochs are not comparable.
    """

    epoch: str
    ms: int
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.ms}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read ``epoch:ms-offset``; raise ProtocolError for anything else."""
        match = _POSITION.fullmatch(text)
        if match is None:
            raise ProtocolError(f"{text[:60]!r} is not a position: expected epoch:ms-offset.")
        return cls(match[1], int(match[2]), int(match[3]))

    def follows(self, other: Position) -> bool:
        """Whether this is the position right after ``other``."""
        return self.epoch == other.epoch and self.offset == other.offset + 1


# ---------------------------------------------------------------- browser → node


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first message: what the page shows and where it stands.

    ``dashboards`` are slugs; ``topics`` (for whoever may edit widgets) are watched without a
    dashboard, for previews. Said again, it replaces what is watched.
    """

    versions: tuple[int, ...]
    dashboards: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    positions: dict[str, str] = {}


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """How many WebSocket messages the page has painted since the socket opened."""

    messages: int


class HistoryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for points of a topic's columns between two times.

    ``id`` comes back in the answer. ``start`` and ``end`` are Unix milliseconds, ``end`` None
    is now; ``points`` is the most that are wanted.
    """

    id: str
    topic: str
    columns: tuple[str, ...]
    start: int
    end: int | None = None
    points: int = 1000


ClientMessage = Hello | Ack | HistoryRequest

_CLIENT_TYPES: Final[dict[str, type[ClientMessage]]] = {
    MessageType.HELLO: Hello,
    MessageType.ACK: Ack,
    MessageType.HISTORY: HistoryRequest,
}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every message travels in; the payload is decoded by type."""

    version: int
    type: str
    payload: msgspec.Raw


_envelopes: Final = msgspec.json.Decoder(tuple[Envelope, ...])


def decode_client(text: str | bytes) -> list[ClientMessage]:
    """Decode one WebSocket text message of a browser.

    Raises ProtocolError naming what was wrong: not JSON, not an array of envelopes, an unknown
    version or type, a payload of the wrong shape.
    """
    try:
        return [_decode_payload(envelope) for envelope in _envelopes.decode(text)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"The message is not an array of envelopes: {error}") from error


def _decode_payload(envelope: Envelope) -> ClientMessage:
    if envelope.version != PROTOCOL_VERSION:
        raise ProtocolError(
            f"Protocol version {envelope.version} is unknown; this node speaks {PROTOCOL_VERSION}."
        )
    kind = _CLIENT_TYPES.get(envelope.type)
    if kind is None:
        raise ProtocolError(
            f"Message type {envelope.type[:40]!r} is unknown; expected one of "
            f"{', '.join(_CLIENT_TYPES)}."
        )
    return msgspec.json.decode(envelope.payload, type=kind)


# ---------------------------------------------------------------- node → browser


class WidgetConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One widget as the browser needs it; ``warnings`` are sentences shown on the widget."""

    name: str
    kind: str
    title: str
    description: str
    topic: str
    size: str
    options: dict[str, object]
    warnings: tuple[str, ...] = ()


class DashboardConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One dashboard as the browser needs it."""

    slug: str
    title: str
    description: str
    theme: str
    revision: int
    widgets: tuple[WidgetConfig, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Sent after ``hello`` and whenever something in it was edited.

    ``dashboard`` is None when the browser watches bare topics. ``topics`` holds the schema of
    every topic that is published. ``heartbeat_ms``: a browser that has heard nothing for three
    times as long takes the link for dead. ``rights``: what this viewer may do ("change").
    """

    dashboard: DashboardConfig | None
    topics: dict[str, Topic]
    rights: tuple[str, ...]
    heartbeat_ms: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Sent on change, and empty as the node's heartbeat.

    ``commits`` gives the last commit (Unix milliseconds) of the topics named in ``topics``;
    ``now`` is the node's clock, so that a browser with a wrong clock still shows true ages.
    """

    topics: dict[str, Liveness] = {}
    commits: dict[str, int] = {}
    now: int = 0
    draining: bool = False


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a topic: ``times`` in Unix milliseconds, and one list per column.

    ``keys`` tells for a keyed topic which row each point belongs to. ``start`` is the time of the
    oldest entry the answer could draw on; ``complete`` is False if points before it left the log.
    ``resolution`` is the milliseconds that one point stands for, 0 when every row is there.
    """

    id: str
    topic: str
    start: int
    end: int
    resolution: int
    complete: bool
    times: list[int]
    keys: list[str]
    columns: dict[str, list[object]]


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """Something was refused. ``about`` names the dashboard, topic or request id it is about."""

    code: int
    text: str
    about: str = ""


NodeMessage = Config | Status | History | Error

_NODE_TYPES: Final[Mapping[type, MessageType]] = {
    Config: MessageType.CONFIG,
    Status: MessageType.STATUS,
    History: MessageType.HISTORY,
    Error: MessageType.ERROR,
}
_encoder: Final = msgspec.json.Encoder()


def encode(message: NodeMessage) -> bytes:
    """Encode one message of the node as an envelope."""
    return envelope(_NODE_TYPES[type(message)], _encoder.encode(message))


def envelope(kind: MessageType, payload: bytes) -> bytes:
    """Wrap an encoded payload: ``{"version":1,"type":…,"payload":…}``."""
    return b'{"version":1,"type":"%s","payload":%s}' % (kind.encode(), payload)


def join(envelopes: Iterable[bytes]) -> bytes:
    """Join envelopes to one WebSocket message, a JSON array."""
    return b"[" + b",".join(envelopes) + b"]"


# ---------------------------------------------------------------- frames, joined from encoded parts


def keyed_update(topic: str, position: str, commit: int, upserts: bytes, deletes: bytes) -> bytes:
    """An ``update`` of a keyed topic from a log entry's parts.

    ``upserts`` is ``"key":[row],…`` and ``deletes`` is ``"key",…``, without the outer brackets:
    the same bytes that ``bus/publish.lua`` puts into the live frame.
    """
    return _update(topic, position, commit, b'"upserts":{%s},"deletes":[%s]' % (upserts, deletes))


def append_update(
    topic: str, position: str, commit: int, rows: bytes, dropped: int | None = None
) -> bytes:
    """An ``update`` of an append topic; ``rows`` is ``[row],…`` without the outer brackets.

    ``dropped`` is how many rows were lost to a bound so far, said when some were before these.
    """
    loss = b"" if dropped is None else b'"dropped":%d,' % dropped
    return _update(topic, position, commit, b'%s"rows":[%s]' % (loss, rows))


def _update(topic: str, position: str, commit: int, body: bytes) -> bytes:
    head = '"topic":"%s","position":"%s","commit":%d,' % (topic, position, commit)
    return envelope(MessageType.UPDATE, b"{%s%s}" % (head.encode(), body))


def keyed_snapshot(
    topic: str,
    position: str,
    reason: SnapshotReason,
    commit: int,
    rows: Sequence[tuple[bytes, bytes]],
) -> bytes:
    """A ``snapshot`` of a keyed topic from encoded keys and rows."""
    body = b",".join(b"%s:%s" % row for row in rows)
    return _snapshot(topic, position, reason, commit, b'"rows":{%s}' % body)


def append_snapshot(
    topic: str,
    position: str,
    reason: SnapshotReason,
    commit: int,
    count: int,
    dropped: int,
    batches: Sequence[tuple[int, bytes]],
) -> bytes:
    """A ``snapshot`` of an append topic: its latest rows, as ``[commit, [row, …]]`` batches.

    Each batch is given as its commit and ``[row],…`` without the outer brackets; ``count`` is how
    many rows the topic has had so far, ``dropped`` how many more were lost to a bound.
    """
    body = b",".join(b"[%d,[%s]]" % batch for batch in batches)
    body = b'"count":%d,"dropped":%d,"batches":[%s]' % (count, dropped, body)
    return _snapshot(topic, position, reason, commit, body)


def _snapshot(topic: str, position: str, reason: SnapshotReason, commit: int, body: bytes) -> bytes:
    head = '"topic":"%s","position":"%s","reason":"%s","commit":%d,' % (
        topic,
        position,
        reason,
        commit,
    )
    return envelope(MessageType.SNAPSHOT, b"{%s%s}" % (head.encode(), body))
