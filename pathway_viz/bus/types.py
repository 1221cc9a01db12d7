"""What crosses the bus: changes in, frames and states out. Everything encoded stays bytes."""

from __future__ import annotations

from typing import Final, Self

import msgspec

from pathway_viz.topics import TopicKind
from pathway_viz.wire import Position

DEFAULT_URL: Final = "redis://127.0.0.1:6379/0"


class BusOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bus is and how long a topic's log may grow.

    ``log_entries`` is the most frames a log keeps, ``log_age_s`` how old they may grow;
    ``lease_s`` is how long a publisher may be silent before another may take its topics over.
    """

    url: str = DEFAULT_URL
    prefix: str = "pv"
    log_entries: int = 20_000
    log_age_s: float = 24 * 3600.0
    lease_s: float = 5.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame says of one topic.

    For a keyed topic ``upserts`` maps JSON-encoded keys to JSON-encoded rows and ``deletes``
    lists JSON-encoded keys; for an append topic ``rows`` lists JSON-encoded rows. ``commit`` is
    in Unix milliseconds. ``replace`` says that this is the whole state: a new epoch begins (the
    log stays, for history). ``shared`` changes come from any process and are not fenced. A change
    whose ``id`` (``token-number``) is the topic's last one, or an earlier one of the same token,
    was said before and does nothing.
    ``recalled`` are the latest rows of an append topic, said instead of ``rows`` where its log is
    gone; ``dropped`` is how many rows were lost to a bound before these, ``again`` how many of
    ``rows`` were published before.
    """

    topic: str
    kind: TopicKind
    commit: int
    upserts: dict[bytes, bytes] = {}
    deletes: tuple[bytes, ...] = ()
    rows: tuple[bytes, ...] = ()
    replace: bool = False
    shared: bool = False
    recalled: tuple[bytes, ...] = ()
    dropped: int = 0
    again: int = 0
    id: str = ""


class Lost(msgspec.Struct, frozen=True):
    """Redis does not hold what this publisher wrote last: the state must be replaced.

    Of an append topic ``missing`` rows that were published are not in the log any more.
    """

    topic: str
    missing: int = 0


class Refused(msgspec.Struct, frozen=True):
    """Another publisher owns the topic now."""

    topic: str
    owner: str


class Published(msgspec.Struct, frozen=True):
    """The frame stands in log and state and was sent.

    An append topic has had ``count`` rows so far, and ``dropped`` more were lost to a bound.
    """

    topic: str
    position: Position
    count: int = 0
    dropped: int = 0


Outcome = Published | Lost | Refused


class Frame(msgspec.Struct, frozen=True):
    """One live frame as it came off the channel: an ``update`` envelope, ready to be copied.

    ``together``: other topics belong to the same flush, and a `Seal` follows when all are out.
    """

    topic: str
    position: Position
    envelope: bytes
    together: bool = False


class Seal(msgspec.Struct, frozen=True):
    """A worker's flush is complete: these topics show the same commits at these positions."""

    worker: str
    positions: dict[str, Position]


class LinkLost(msgspec.Struct, frozen=True):
    """The subscription was interrupted and stands again: frames may be missing in between."""


class News(msgspec.Struct, frozen=True):
    """Something changed: a ``topic`` or a ``dashboard`` that code declares, or by an ``edit``."""

    subject: str
    name: str

    def __str__(self) -> str:
        return f"{self.subject} {self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` gave."""
        subject, _, name = text.partition(" ")
        return cls(subject, name)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A topic's state and its position, read in one step.

    ``rows`` are (JSON key, JSON row) pairs of a keyed topic; ``batches`` the latest
    (commit, ``[row],…``) entries of an append topic's log, oldest first; ``count`` is how many rows
    the append topic has had so far, ``dropped`` how many more were lost to a bound.
    """

    topic: str
    kind: TopicKind
    position: Position
    commit: int
    count: int = 0
    dropped: int = 0
    rows: tuple[tuple[bytes, bytes], ...] = ()
    batches: tuple[tuple[int, bytes], ...] = ()


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One frame as the log keeps it. ``upserts`` holds the rows of an append topic.

    ``dropped`` is how many rows had been lost to a bound so far, if some were before this frame.
    """

    position: Position
    commit: int
    upserts: bytes
    deletes: bytes = b""
    dropped: int | None = None


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic's meta hash says. Times are Unix milliseconds of Redis's clock.

    ``heartbeat`` is 0 for a shared topic, which has no owner; ``owned`` is False as well when the
    owner has said goodbye.
    """

    position: Position
    kind: TopicKind
    commit: int
    heartbeat: int
    owned: bool
    now: int
