"""The hub: one per process, between the topics that are followed and all viewers of this node.

What came since the last tick leaves in one message per viewer; viewers of the same topics share
one message, so frames are joined once however many watch. Viewers that come with the same wishes
at the same moment share one answer as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import Snapshot
from pathway_viz.conf import Settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.web.audience import Audience
from pathway_viz.web.follower import Follower, snapshot_part
from pathway_viz.web.message import Message
from pathway_viz.web.shared import Shared
from pathway_viz.web.viewer import Viewer
from pathway_viz.wire import Position, SnapshotReason

_JOIN_ATTEMPTS: Final = 5
_ARRIVAL_S: Final = 2.0
_SNAPSHOT_S: Final = 1.0  # so long may viewers that come one after the other share a snapshot

Part = tuple[Position | None, list[bytes]]
Wish = tuple[tuple[str, ...], SnapshotReason, tuple[tuple[str, Position], ...]]


class Hub:
    """Hands the frames of topics to the viewers that watch them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.reader = Reader(settings.bus)
        self.follower = Follower(settings, self.reader, self._begin_tick)
        self.spawn = self.follower.spawn
        self.viewers: set[Viewer] = set()
        self._audiences: dict[tuple[str, ...], Audience] = {}
        self._joining: dict[Wish, asyncio.Task[None]] = {}
        self._waiting: dict[Wish, list[Viewer]] = {}
        self._snapshots: Shared[str, Snapshot | None] = Shared(self._read_snapshot, _SNAPSHOT_S)
        self._tick: asyncio.TimerHandle | None = None
        self._next = 0.0

    async def start(self) -> None:
        """Begin to listen to Redis; returns at once, also when Redis is away."""
        await self.follower.start()

    async def stop(self) -> None:
        """End every task and connection."""
        if self._tick:
            self._tick.cancel()
        await self._snapshots.stop()
        await self.follower.stop()
        await self.reader.close()

    @property
    def watched(self) -> tuple[str, ...]:
        """The topics that somebody watches here."""
        return tuple(self.follower.feeds)

    # ------------------------------------------------------------ viewers come and go

    async def join(self, viewer: Viewer, topics: Iterable[str], reason: SnapshotReason) -> None:
        """Give ``viewer`` the state of ``topics``, then every frame after it, without a hole.

        Where it has a position it gets what it missed, if that can be told exactly; else a
        snapshot for ``reason``, or for `gap` or `epoch` if it had a position.
        """
        wanted = tuple(sorted(set(topics)))
        async with viewer.joining:
            if viewer not in self.viewers:
                return
            self._leave_audience(viewer)
            before, viewer.topics = viewer.topics, wanted
            self.follower.follow(wanted)
            self.follower.unfollow(before)
            await self.follower.settle(wanted)
            have = tuple((t, viewer.positions[t]) for t in wanted if t in viewer.positions)
            viewer.positions = {}
            await self._join_with_others((wanted, reason, have), viewer)

    async def _join_with_others(self, wish: Wish, viewer: Viewer) -> None:
        self._waiting.setdefault(wish, []).append(viewer)
        task = self._joining.get(wish)
        if task is None:
            task = self._joining[wish] = self.spawn(self._answer(wish))
        await asyncio.shield(task)

    async def _answer(self, wish: Wish) -> None:
        """Read what was wished for, bring it up to what is shown, and let the viewers in."""
        wanted, reason, have = wish
        try:
            had = dict(have)
            parts = {topic: await self._state(topic, had.get(topic), reason) for topic in wanted}
            for _ in range(_JOIN_ATTEMPTS):
                held = {topic: at for topic, (at, _) in parts.items() if at}
                await self.follower.reach(held, _ARRIVAL_S)
                late = self._catch_up(wanted, parts)
                if not late:
                    break
                for topic in late:
                    parts[topic] = await self._whole(topic, reason, had.get(topic))
        finally:
            self._joining.pop(wish, None)
            viewers = self._waiting.pop(wish, [])
        self._let_in(wanted, parts, viewers)

    def _let_in(
        self, wanted: tuple[str, ...], parts: Mapping[str, Part], viewers: Iterable[Viewer]
    ) -> None:
        positions = {topic: at for topic, (at, _) in parts.items() if at}
        envelopes = [part for topic in wanted for part in parts[topic][1]]
        message = Message(envelopes, positions) if envelopes else None
        for viewer in viewers:
            if viewer not in self.viewers or viewer.topics != wanted:
                continue
            if message is None or viewer.outbox.put(message):
                self._audience(wanted).add(viewer)

    def _audience(self, topics: tuple[str, ...]) -> Audience:
        if topics not in self._audiences:
            self._audiences[topics] = Audience(topics, self._settings.outbox_bytes // 8)
        return self._audiences[topics]

    def leave(self, viewer: Viewer) -> None:
        """Forget ``viewer``; topics that nobody watches any more are followed no more."""
        self._leave_audience(viewer)
        self.follower.unfollow(viewer.topics)
        viewer.topics = ()
        self.viewers.discard(viewer)

    def audiences(self) -> list[Audience]:
        """The viewers, by the topics they watch."""
        return list(self._audiences.values())

    def tell(self, audience: Audience, message: Message) -> None:
        """Send one message to many; whoever lags gets what it missed later."""
        for viewer in audience.tell(message):
            self._leave_audience(viewer)

    def _leave_audience(self, viewer: Viewer) -> None:
        audience = self._audiences.get(viewer.topics)
        if audience is not None:
            audience.discard(viewer)
            if not audience:
                del self._audiences[viewer.topics]

    # ------------------------------------------------------------ states for who joins

    async def _state(self, topic: str, have: Position | None, reason: SnapshotReason) -> Part:
        try:
            if have is not None and not self._prefers_snapshot(topic, reason):
                missed = await self.follower.missed(topic, have)
                if missed is not None:
                    at = missed[-1][0] if missed else have
                    return at, [envelope for _, envelope in missed]
        except BusUnreachable:
            return None, []  # LinkLost will bring it
        return await self._whole(topic, reason, have)

    def _prefers_snapshot(self, topic: str, reason: SnapshotReason) -> bool:
        """Who lagged wants the latest state of a keyed topic, but every row of an append topic."""
        known = self.follower.catalogue.get(topic)
        return reason is SnapshotReason.LAG and (known is None or known.is_keyed)

    async def _whole(self, topic: str, reason: SnapshotReason, have: Position | None) -> Part:
        try:
            snapshot = await self._snapshots.get(topic)
        except BusUnreachable:
            return None, []
        if snapshot is None:
            return None, []
        position, envelope = snapshot_part(snapshot, reason, have)
        return position, [envelope]

    async def _read_snapshot(self, topic: str) -> Snapshot | None:
        return await self.reader.snapshot(topic, self._settings.snapshot_rows)

    def _catch_up(self, topics: tuple[str, ...], parts: dict[str, Part]) -> list[str]:
        """Add what came since the states were read; gives the topics where that cannot be told."""
        self._end_tick()
        missing = []
        for topic in topics:
            at, envelopes = parts[topic]
            feed = self.follower.feeds.get(topic)
            if at is None or feed is None:
                continue
            since = feed.after(at)
            if since is None:
                missing.append(topic)
                self._snapshots.forget(topic)
            else:
                parts[topic] = (feed.shown or at, [*envelopes, *since])
        return missing

    # ------------------------------------------------------------ ticks

    def _begin_tick(self) -> None:
        """Send what came at once, but a tick after the last time at the earliest."""
        if self._tick is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._next:
                self._end_tick()
            else:
                self._tick = loop.call_at(self._next, self._end_tick)

    def _end_tick(self) -> None:
        """Send what came in this tick: one message per viewer."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if not (came := self.follower.end_tick()):
            return
        self._next = asyncio.get_running_loop().time() + self._settings.tick_ms / 1000
        for audience in self.audiences():
            envelopes = [e for topic in audience.topics for e in came.get(topic, ())]
            if envelopes:
                self.tell(audience, Message(envelopes, self._positions(audience.topics)))

    def _positions(self, topics: tuple[str, ...]) -> dict[str, Position]:
        feeds = ((topic, self.follower.feeds.get(topic)) for topic in topics)
        return {topic: feed.shown for topic, feed in feeds if feed is not None and feed.shown}
