"""The hub: one per process, between one subscription to Redis and all viewers of this node.

Frames are copied as they came. What came since the last tick leaves in one message per viewer;
viewers of the same topics share one joined text, so a frame is joined once however many watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from pathway_viz import wire
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.subscriber import Subscriber
from pathway_viz.bus.types import Frame, LinkLost, LogEntry, News, Snapshot
from pathway_viz.conf import Settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.topics import Topic, TopicKind
from pathway_viz.web.feed import Feed, Verdict
from pathway_viz.web.viewer import Viewer
from pathway_viz.wire import Position, SnapshotReason

logger = logging.getLogger("pathway_viz.web")

RESUME_FRAMES = 2000  # more than these are cheaper as a snapshot
_RETRY_S = 0.5
_JOIN_ATTEMPTS = 5
_ARRIVAL_S = 2.0


class Hub:
    """Follows the topics that somebody watches here, and hands their frames to the viewers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.reader = Reader(settings.bus)
        self._subscriber = Subscriber(settings.bus)
        self.viewers: set[Viewer] = set()
        self.news: asyncio.Queue[News] = asyncio.Queue(1000)
        self._feeds: dict[str, Feed] = {}
        self._watchers: dict[str, int] = {}
        self._audiences: dict[tuple[str, ...], set[Viewer]] = {}
        self._snapshots: dict[str, asyncio.Task[Snapshot | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen to Redis; returns at once, also when Redis is away."""
        await self._subscriber.start()
        self.spawn(self._listen())

    async def stop(self) -> None:
        """End every task and connection."""
        if self._tick:
            self._tick.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._subscriber.close()
        await self.reader.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``work`` until it ends or the hub does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def watched(self) -> tuple[str, ...]:
        """The topics that somebody watches here."""
        return tuple(self._watchers)

    # ------------------------------------------------------------ viewers come and go

    async def join(self, viewer: Viewer, topics: Iterable[str], reason: SnapshotReason) -> None:
        """Give ``viewer`` the state of ``topics``, then every frame after it, without a hole.

        Where it has a position it gets what it missed, if that can be told exactly; else a
        snapshot for ``reason``, or for `gap` or `epoch` if it had a position.
        """
        wanted = tuple(sorted(set(topics)))
        async with viewer.joining:
            await self._join(viewer, wanted, reason)

    async def _join(self, viewer: Viewer, wanted: tuple[str, ...], reason: SnapshotReason) -> None:
        self._leave_audience(viewer)
        await self._follow(viewer, wanted)
        parts = {topic: await self._state_for(viewer, topic, reason) for topic in wanted}
        for _ in range(_JOIN_ATTEMPTS):
            await self._arrive({topic: at for topic, (at, _) in parts.items() if at})
            late = self._catch_up(wanted, parts)
            if not late:
                break
            for topic in late:
                parts[topic] = await self._state_for(viewer, topic, SnapshotReason.GAP)
        viewer.say(*(part for topic in wanted for part in parts[topic][1]))
        if viewer in self.viewers:
            self._audiences.setdefault(wanted, set()).add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Forget ``viewer``; topics that nobody watches any more are followed no more."""
        self._leave_audience(viewer)
        self._unfollow(viewer.topics)
        viewer.topics = ()
        self.viewers.discard(viewer)

    def pause(self, viewer: Viewer) -> None:
        """Send no frames to ``viewer`` until it joins again."""
        self._leave_audience(viewer)

    def audiences(self) -> list[tuple[tuple[str, ...], set[Viewer]]]:
        """The viewers, by the topics they watch."""
        return list(self._audiences.items())

    def tell(self, viewers: Iterable[Viewer], message: str) -> None:
        """Send one message to many; whoever lags gets snapshots later."""
        for viewer in list(viewers):
            if not viewer.outbox.put(message):
                self.pause(viewer)

    def _leave_audience(self, viewer: Viewer) -> None:
        audience = self._audiences.get(viewer.topics)
        if audience is not None:
            audience.discard(viewer)
            if not audience:
                del self._audiences[viewer.topics]

    async def _follow(self, viewer: Viewer, wanted: tuple[str, ...]) -> None:
        before, viewer.topics = viewer.topics, wanted
        for topic in wanted:
            self._watchers[topic] = self._watchers.get(topic, 0) + 1
            self._feeds.setdefault(topic, Feed(topic))
        self._unfollow(before)
        for topic in wanted:
            await self._subscriber.subscribe(topic)

    def _unfollow(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._watchers[topic] -= 1
            if not self._watchers[topic]:
                del self._watchers[topic], self._feeds[topic]
                self.spawn(self._subscriber.unsubscribe(topic))

    # ------------------------------------------------------------ states for who joins

    async def _state_for(
        self, viewer: Viewer, topic: str, reason: SnapshotReason
    ) -> tuple[Position | None, list[bytes]]:
        have = viewer.positions.pop(topic, None)
        try:
            if have is not None:
                missed = await self.reader.log_since(topic, have, RESUME_FRAMES)
                if missed is not None:
                    return self._missed(topic, have, missed, await self._kind(topic))
            return await self._whole(topic, reason, have)
        except BusUnreachable:
            return None, []  # LinkLost will bring it

    async def _kind(self, topic: str) -> TopicKind:
        return (await self.reader.states([topic]))[topic].kind

    @staticmethod
    def _missed(
        topic: str, have: Position, entries: list[LogEntry], kind: TopicKind
    ) -> tuple[Position, list[bytes]]:
        at = entries[-1].position if entries else have
        return at, [_update(topic, entry, kind) for entry in entries]

    async def _whole(
        self, topic: str, reason: SnapshotReason, have: Position | None
    ) -> tuple[Position | None, list[bytes]]:
        snapshot = await self._snapshot(topic)
        if snapshot is None:
            return None, []
        if have is not None:
            same = have.epoch == snapshot.position.epoch
            reason = SnapshotReason.GAP if same else SnapshotReason.EPOCH
        return snapshot.position, [_snapshot(snapshot, reason)]

    async def _snapshot(self, topic: str) -> Snapshot | None:
        """Read a snapshot; viewers that join at the same moment share one read."""
        task = self._snapshots.get(topic)
        if task is None:
            rows = self._settings.snapshot_rows
            task = asyncio.create_task(self.reader.snapshot(topic, rows))
            self._snapshots[topic] = task
            task.add_done_callback(lambda _: self._snapshots.pop(topic, None))
        return await asyncio.shield(task)

    async def _arrive(self, states: dict[str, Position]) -> None:
        """Wait for the frames that the states already hold and that are still on their way here."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ARRIVAL_S):
                while any(self._is_behind(topic, at) for topic, at in states.items()):
                    await self._moved.wait()

    def _is_behind(self, topic: str, at: Position) -> bool:
        feed = self._feeds.get(topic)
        return feed is not None and feed.is_behind(at)

    def _catch_up(
        self, topics: tuple[str, ...], parts: dict[str, tuple[Position | None, list[bytes]]]
    ) -> list[str]:
        """Add what came since the states were read; gives the topics where that cannot be told."""
        self._end_tick()
        missing = []
        for topic in topics:
            at, envelopes = parts[topic]
            feed = self._feeds.get(topic)
            if at is None or feed is None:
                continue
            feed.begin_at(at)
            since = feed.after(at)
            if since is None:
                missing.append(topic)
            else:
                parts[topic] = (feed.position, [*envelopes, *(e.encode() for e in since)])
        return missing

    # ------------------------------------------------------------ frames come in and go out

    async def _listen(self) -> None:
        while True:
            for event in await self._subscriber.events():
                self._take(event)
            self._moved.set()
            self._moved = asyncio.Event()

    def _take(self, event: Frame | LinkLost | News) -> None:
        if isinstance(event, Frame):
            feed = self._feeds.get(event.topic)
            if feed is None:
                return
            verdict = feed.take(event)
            if verdict is Verdict.NEXT:
                self._begin_tick()
            elif verdict is Verdict.GAP and not feed.under_repair:
                self._repair(feed)
        elif isinstance(event, LinkLost):
            for feed in self._feeds.values():
                if not feed.under_repair:
                    self._repair(feed)
        elif not self.news.full():
            self.news.put_nowait(event)

    def _repair(self, feed: Feed) -> None:
        feed.filling = feed.under_repair = True
        self.spawn(self._fill(feed))

    async def _fill(self, feed: Feed) -> None:
        """Close a gap: from the log if it is all there, else with a snapshot for every viewer."""
        while self._feeds.get(feed.topic) is feed:
            try:
                await self._fill_once(feed)
            except BusUnreachable:
                await asyncio.sleep(_RETRY_S)
                continue
            if feed.filled() is Verdict.NEXT:
                break
        feed.under_repair = False
        self._begin_tick()

    async def _fill_once(self, feed: Feed) -> None:
        have, missed = feed.position, None
        if have is not None:
            missed = await self.reader.log_since(feed.topic, have, RESUME_FRAMES)
        if missed is not None:
            kind = await self._kind(feed.topic)
            for entry in missed:
                feed.put(entry.position, _update(feed.topic, entry, kind).decode())
            return
        position, envelopes = await self._whole(feed.topic, SnapshotReason.JOIN, have)
        if position is not None:
            feed.put(position, envelopes[0].decode())

    def _begin_tick(self) -> None:
        if self._tick is None:
            delay = self._settings.tick_ms / 1000
            self._tick = asyncio.get_running_loop().call_later(delay, self._end_tick)

    def _end_tick(self) -> None:
        """Send what came in this tick: one message per viewer."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        came = {topic: feed.end_tick() for topic, feed in self._feeds.items()}
        for topics, audience in self.audiences():
            envelopes = [envelope for topic in topics for envelope in came.get(topic, ())]
            if envelopes:
                self.tell(audience, "[" + ",".join(envelopes) + "]")

    async def catalogue(self) -> dict[str, Topic]:
        """The catalogue as Redis has it; empty while it is away."""
        try:
            return await self.reader.catalogue()
        except BusUnreachable:
            return {}


def _update(topic: str, entry: LogEntry, kind: TopicKind) -> bytes:
    position = str(entry.position)
    if kind is TopicKind.KEYED:
        return wire.keyed_update(topic, position, entry.commit, entry.upserts, entry.deletes)
    return wire.append_update(topic, position, entry.commit, entry.upserts)


def _snapshot(snapshot: Snapshot, reason: SnapshotReason) -> bytes:
    head = (snapshot.topic, str(snapshot.position), reason, snapshot.commit)
    if snapshot.kind is TopicKind.KEYED:
        return wire.keyed_snapshot(*head, snapshot.rows)
    return wire.append_snapshot(*head, snapshot.batches)
