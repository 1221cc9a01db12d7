"""The writing end of the bus: what a worker's publishing thread talks to."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pathway_viz.bus.connect import connect, reaching
from pathway_viz.bus.scripts import Call, run_all
from pathway_viz.bus.types import BusOptions, Change, Lost, News, Outcome, Published, Refused
from pathway_viz.topics import Keys, Topic
from pathway_viz.widgets import DashboardSpec
from pathway_viz.wire import Position

_EPOCH_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_epoch() -> str:
    """A name for a topic's new life: 8 random characters."""
    return "".join(secrets.choice(_EPOCH_ALPHABET) for _ in range(8))


class Publisher:
    """Publishes topics, and owns those it claimed. To be used by one thread.

    ``owner`` says in words who this is, for whoever is refused because of it; ``worker`` is the
    name under which its flushes are sealed (none: they are not). Every method
    raises BusUnreachable when Redis does not answer; nothing is half done then, but what was sent
    last may or may not have happened, which the next call finds out (`Lost`).
    """

    def __init__(self, options: BusOptions, *, owner: str, worker: str = "") -> None:
        self.options = options
        self._worker = worker
        self.token = secrets.token_hex(8)
        self._owner = owner
        self._keys = Keys(options.prefix)
        self._client = connect(options.url)
        self._last: dict[str, Published] = {}

    def connect(self) -> None:
        """Make sure that Redis answers."""
        with reaching(self.options.url):
            self._client.ping()

    def declare(self, topics: Sequence[Topic]) -> None:
        """Write the catalogue entries of ``topics``, and tell who listens of those that changed."""
        entries = {topic.name: msgspec.json.encode(topic) for topic in topics}
        self._write_changed(self._keys.catalogue, entries, "topic")

    def declare_dashboards(self, worker: str, specs: Sequence[DashboardSpec]) -> None:
        """Write the dashboards of ``worker``, in place of all that it declared before."""
        entries = {f"{worker}/{spec.slug}": msgspec.json.encode(spec) for spec in specs}
        with reaching(self.options.url):
            held: Any = self._client.hkeys(self._keys.dashboards)
            gone = [key for key in held if self._is_gone(key.decode(), worker, entries)]
            if gone:
                self._client.hdel(self._keys.dashboards, *gone)
        self._write_changed(self._keys.dashboards, entries, "dashboard")

    @staticmethod
    def _is_gone(key: str, worker: str, entries: dict[str, bytes]) -> bool:
        return key.rpartition("/")[0] == worker and key not in entries

    def _write_changed(self, key: str, entries: dict[str, bytes], subject: str) -> None:
        if not entries:
            return
        with reaching(self.options.url):
            held = self._client.hmget(key, list(entries))
            changed = [n for n, old in zip(entries, held, strict=True) if old != entries[n]]
            pipeline = self._client.pipeline(transaction=True)
            for name in changed:
                pipeline.hset(key, name, entries[name])
                pipeline.publish(self._keys.news, str(News(subject, name)))
            pipeline.execute()

    def claim(self, topics: Sequence[Topic]) -> list[Refused]:
        """Take topics that are free or whose owner's lease ran out; gives those it did not get."""
        lease_ms = int(self.options.lease_s * 1000)
        calls = [
            Call("claim", (self._keys.meta(t.name),), (self.token, self._owner, lease_ms, t.kind))
            for t in topics
        ]
        outcomes = self._run([topic.name for topic in topics], calls)
        return [outcome for outcome in outcomes if isinstance(outcome, Refused)]

    def publish(self, changes: Sequence[Change]) -> list[Outcome]:
        """Publish one frame for each change, in order, in one transaction.

        The topics that this publisher owns are one flush: what they show belongs together.
        """
        topics = [change.topic for change in changes]
        owned = {change.topic for change in changes if not change.shared}
        together = bool(self._worker) and len(owned) > 1
        calls = [
            self._call(c, topics[:i].count(c.topic), together=together)
            for i, c in enumerate(changes)
        ]
        outcomes = self._run(topics, calls)
        for change, outcome in zip(changes, outcomes, strict=True):
            if isinstance(outcome, Published) and not change.shared:
                self._last[outcome.topic] = outcome
        if together:
            self._seal(sorted(owned))
        return outcomes

    def _seal(self, topics: Sequence[str]) -> None:
        """Tell the nodes that the flush is complete, and where it left each topic."""
        positions = {t: str(self._last[t].position) for t in topics if t in self._last}
        with reaching(self.options.url):
            self._client.publish(self._keys.seal(self._worker), msgspec.json.encode(positions))

    def heartbeat(self, topics: Sequence[str]) -> list[Lost | Refused]:
        """Say that this publisher lives; gives the topics that Redis lost or another one owns."""
        calls = [
            Call("heartbeat", self._keys.all_of(topic), (self.token, *self._expected(topic)))
            for topic in topics
        ]
        outcomes = self._run(topics, calls)
        return [outcome for outcome in outcomes if isinstance(outcome, Lost | Refused)]

    def release(self, topics: Sequence[str]) -> None:
        """Give topics free at once."""
        self._run(topics, [Call("release", (self._keys.meta(t),), (self.token,)) for t in topics])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _run(self, topics: Sequence[str], calls: Sequence[Call]) -> list[Outcome]:
        with reaching(self.options.url):
            replies = run_all(self._client, calls) if calls else []
        pairs = zip(topics, replies, strict=True)
        return [_outcome(topic, reply, self._last.get(topic)) for topic, reply in pairs]

    def _expected(self, topic: str, earlier: int = 0) -> tuple[str, str]:
        last = self._last.get(topic)
        return (last.position.epoch, str(last.position.offset + earlier)) if last else ("", "")

    def _call(self, change: Change, earlier: int, *, together: bool) -> Call:
        """One run of publish.lua, after ``earlier`` frames of the topic in this round trip."""
        name, keys = change.topic, self._keys
        fresh = change.shared or change.replace
        last = None if change.shared or earlier else self._last.get(name)
        expected = ("", "") if fresh else self._expected(name, earlier)
        pairs: list[bytes] = [part for pair in change.upserts.items() for part in pair]
        arguments: tuple[str | bytes | int, ...] = (
            keys.channel(name),
            name,
            "" if change.shared else self.token,
            *expected,
            new_epoch(),
            int(change.replace),
            change.kind,
            change.commit,
            self.options.log_entries,
            int(self.options.log_age_s * 1000),
            change.id,
            b",".join(change.rows),
            b",".join(change.recalled),
            "+" if together and not change.shared else "-",
            last.count if last else "",
            last.dropped if last else "",
            len(change.rows) - change.again,
            change.dropped,
            len(change.upserts),
            *pairs,
            *change.deletes,
        )
        return Call("publish", keys.all_of(name), arguments)


def _outcome(topic: str, reply: list[Any], last: Published | None) -> Outcome:
    match reply:
        case [b"refused", owner]:
            return Refused(topic, owner.decode())
        case [b"lost", held]:
            return Lost(topic, max(0, last.count - int(held)) if held and last else 0)
        case [_, epoch, ms, offset, count, dropped]:
            position = Position(epoch.decode(), int(ms), int(offset))
            return Published(topic, position, int(count), int(dropped))
    return Published(topic, Position("", 0, 0))
