"""The follower: keeps every watched topic's feed whole, whatever happens to Redis or the link.

Frames of one flush are shown together: they wait for the worker's seal. What went missing is
filled from the log, or with a snapshot, before anything after it is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from pathway_viz import wire
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.subscriber import Subscriber
from pathway_viz.bus.types import Frame, LinkLost, LogEntry, News, Seal, Snapshot
from pathway_viz.cancelling import cancel
from pathway_viz.conf import Settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.topics import Topic, TopicKind
from pathway_viz.web.feed import Feed, Verdict
from pathway_viz.wire import Position, SnapshotReason

HOLD_S: Final = 1.0  # longest wait of a frame, or of a seal, for the others of its flush
RESUME_FRAMES: Final = 2000  # more than these of a keyed topic are cheaper as a snapshot
MISSED: Final = News("missed", "")  # the link broke: nobody knows what was said meanwhile
_RETRY_S: Final = 0.5


class Follower:
    """Follows topics over one subscription; ``shown`` is called when a feed has something new."""

    def __init__(self, settings: Settings, reader: Reader, shown: Callable[[], None]) -> None:
        self._settings = settings
        self._reader = reader
        self._shown = shown
        self._subscriber = Subscriber(settings.bus, self._hear)
        self.catalogue: Mapping[str, Topic] = {}
        self.feeds: dict[str, Feed] = {}
        self.news: asyncio.Queue[News] = asyncio.Queue(1000)
        self._watchers: dict[str, int] = {}
        self._seals: dict[str, deque[tuple[float, Seal]]] = {}
        self._outages = 0
        self._fresh = False
        self._moved = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen to Redis; returns at once, also when Redis is away."""
        await self._subscriber.start()

    async def stop(self) -> None:
        """End every task and the subscription."""
        if self._patience:
            self._patience.cancel()
        await cancel(self._tasks)
        await self._subscriber.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``work`` until it ends or the follower does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ------------------------------------------------------------ what is followed

    def follow(self, topics: Iterable[str]) -> None:
        """Follow topics for one more viewer."""
        for topic in topics:
            self._watchers[topic] = self._watchers.get(topic, 0) + 1
            self.feeds.setdefault(topic, Feed(topic))

    async def settle(self, topics: Iterable[str]) -> None:
        """Wait until the topics are listened to and their feeds know where they stand."""
        feeds = [feed for topic in topics if (feed := self.feeds.get(topic))]
        for feed in feeds:
            await self._listen_to(feed)
        if fresh := [feed for feed in feeds if feed.position is None]:
            await self._begin(fresh)

    def unfollow(self, topics: Iterable[str]) -> None:
        """One viewer less; topics that nobody watches any more are followed no more."""
        for topic in topics:
            self._watchers[topic] -= 1
            if not self._watchers[topic]:
                del self._watchers[topic]
                self.spawn(self._let_go(self.feeds.pop(topic)))

    async def _listen_to(self, feed: Feed) -> None:
        if self.feeds.get(feed.topic) is not feed:
            return
        await self._subscriber.subscribe(feed.topic)
        known = self.catalogue.get(feed.topic)
        if known is None or known.shared or feed.worker:
            return
        await self._subscriber.subscribe_seals(known.worker)
        feed.worker = known.worker

    async def learn(self, catalogue: Mapping[str, Topic]) -> None:
        """Take note of a catalogue: who publishes what."""
        self.catalogue = catalogue
        for feed in list(self.feeds.values()):
            await self._listen_to(feed)

    async def _let_go(self, feed: Feed) -> None:
        if feed.topic not in self.feeds:
            await self._subscriber.unsubscribe(feed.topic)
        if feed.worker and not any(f.worker == feed.worker for f in self.feeds.values()):
            self._seals.pop(feed.worker, None)
            await self._subscriber.unsubscribe_seals(feed.worker)

    async def _begin(self, feeds: list[Feed]) -> None:
        """Let new feeds begin where their topics stand now, all at the same moment.

        Only these: a feed that took the place of one of them may not be listened to yet.
        """
        try:
            states = await self._reader.states([feed.topic for feed in feeds])
        except BusUnreachable:
            return  # LinkLost, or the next frame, will bring them
        for feed in feeds:
            if state := states.get(feed.topic):
                feed.begin_at(state.position)

    async def reach(self, positions: Mapping[str, Position], patience_s: float) -> None:
        """Wait (seconds) until the feeds show what ``positions`` hold already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while any(self._is_behind(topic, at) for topic, at in positions.items()):
                    await self._moved.wait()

    def _is_behind(self, topic: str, at: Position) -> bool:
        feed = self.feeds.get(topic)
        return feed is not None and feed.is_behind(at)

    # ------------------------------------------------------------ what comes in

    def _hear(self, events: Iterable[Frame | Seal | LinkLost | News]) -> None:
        """Take what came together, and show what is complete with it."""
        for event in events:
            self._take(event)
        self._release_sealed()
        self._tell()

    def _take(self, event: Frame | Seal | LinkLost | News) -> None:
        if isinstance(event, Frame):
            self._take_frame(event)
        elif isinstance(event, Seal):
            deadline = asyncio.get_running_loop().time() + HOLD_S
            self._seals.setdefault(event.worker, deque()).append((deadline, event))
        elif isinstance(event, LinkLost):
            self._outages += 1
            self._repair([feed for feed in self.feeds.values() if not feed.under_repair])
            self._pass_on(MISSED)
        else:
            self._pass_on(event)

    def _pass_on(self, news: News) -> None:
        if not self.news.full():
            self.news.put_nowait(news)

    def _take_frame(self, frame: Frame) -> None:
        feed = self.feeds.get(frame.topic)
        if feed is None:
            return
        if feed.take(frame) is Verdict.GAP and not feed.under_repair:
            self._repair([feed])
        self._fresh |= feed.fresh

    def _release_sealed(self) -> None:
        """Show what belongs to flushes that are complete, in their order."""
        now = asyncio.get_running_loop().time()
        for queue in self._seals.values():
            while queue and (now > queue[0][0] or self._is_complete(queue[0][1])):
                for topic, position in queue.popleft()[1].positions.items():
                    if feed := self.feeds.get(topic):
                        feed.release(position)
                        self._fresh |= feed.fresh

    def _is_complete(self, seal: Seal) -> bool:
        watched = ((self.feeds.get(t), position) for t, position in seal.positions.items())
        return all(feed is None or feed.has_reached(position) for feed, position in watched)

    def _tell(self) -> None:
        self._moved.set()
        self._moved.clear()  # whoever waited looks again
        if self._fresh:
            self._shown()
        if self._patience is None and self._waits:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(HOLD_S / 2, self._lose_patience)

    @property
    def _waits(self) -> bool:
        """Whether something has arrived that waits for the rest of its flush."""
        return any(self._seals.values()) or any(feed.open for feed in self.feeds.values())

    def _lose_patience(self) -> None:
        self._patience = None
        for feed in self.feeds.values():
            feed.lose_patience()
            self._fresh |= feed.fresh
        self._release_sealed()
        self._tell()

    def end_tick(self) -> dict[str, list[bytes]]:
        """What is to be sent, of every feed that has something new, in this tick."""
        self._fresh = False
        return {topic: feed.end_tick() for topic, feed in self.feeds.items() if feed.fresh}

    # ------------------------------------------------------------ what went missing

    def _repair(self, feeds: list[Feed]) -> None:
        for feed in feeds:
            feed.filling = feed.under_repair = True
        if feeds:
            self.spawn(self._fill_all(feeds))

    async def _fill_all(self, feeds: list[Feed]) -> None:
        """Close gaps; what they filled is shown at once, for all of them."""
        cut = await self._cut([feed.topic for feed in feeds])
        await asyncio.gather(*(self._fill(feed) for feed in feeds))
        for feed in feeds:
            feed.under_repair = False
            if feed.topic in cut:
                feed.release(cut[feed.topic])
            self._fresh |= feed.fresh
        self._release_sealed()
        self._tell()

    async def _cut(self, topics: list[str]) -> dict[str, Position]:
        """Where all these topics stand at one moment."""
        while True:
            try:
                states = await self._reader.states(topics)
            except BusUnreachable:
                await asyncio.sleep(_RETRY_S)
            else:
                return {topic: state.position for topic, state in states.items()}

    async def _fill(self, feed: Feed) -> None:
        """Close a gap: from the log if it is all there, else with a snapshot for every viewer."""
        while self.feeds.get(feed.topic) is feed:
            outages = self._outages
            try:
                await self._fill_once(feed)
            except BusUnreachable:
                await asyncio.sleep(_RETRY_S)
                continue
            if feed.filled() is Verdict.NEXT and outages == self._outages:
                return
            feed.filling = True

    async def _fill_once(self, feed: Feed) -> None:
        have = feed.position
        found = await self.missed(feed.topic, have) if have is not None else None
        if found is None:
            snapshot = await self._reader.snapshot(feed.topic, self._settings.snapshot_rows)
            found = [] if snapshot is None else [snapshot_part(snapshot, SnapshotReason.GAP, have)]
        for position, envelope in found:
            feed.put(position, envelope, together=bool(feed.worker))

    async def missed(self, topic: str, have: Position) -> list[tuple[Position, bytes]] | None:
        """Exactly what came after ``have``, as `update` envelopes; None if that cannot be told."""
        state = (await self._reader.states([topic])).get(topic)
        if state is None:
            return None
        keyed = state.kind is TopicKind.KEYED
        limit = RESUME_FRAMES if keyed else self._settings.log_entries
        entries = await self._reader.log_since(topic, have, limit, state)
        if entries is None:
            return None
        envelopes = [(entry.position, _update(topic, entry, state.kind)) for entry in entries]
        size = sum(len(envelope) for _, envelope in envelopes)
        return envelopes if size <= self._settings.outbox_bytes // 2 else None


def _update(topic: str, entry: LogEntry, kind: TopicKind) -> bytes:
    position = str(entry.position)
    if kind is TopicKind.KEYED:
        return wire.keyed_update(topic, position, entry.commit, entry.upserts, entry.deletes)
    return wire.append_update(topic, position, entry.commit, entry.upserts, entry.dropped)


def snapshot_part(
    snapshot: Snapshot, reason: SnapshotReason, have: Position | None
) -> tuple[Position, bytes]:
    """A snapshot as position and envelope, with the reason that holds for who had ``have``."""
    if have is None:
        reason = SnapshotReason.JOIN
    elif have.epoch != snapshot.position.epoch:
        reason = SnapshotReason.EPOCH
    elif reason is SnapshotReason.JOIN:
        reason = SnapshotReason.GAP
    head = (snapshot.topic, str(snapshot.position), reason, snapshot.commit)
    if snapshot.kind is TopicKind.KEYED:
        return snapshot.position, wire.keyed_snapshot(*head, snapshot.rows)
    numbers = (snapshot.count, snapshot.dropped)
    return snapshot.position, wire.append_snapshot(*head, *numbers, snapshot.batches)
