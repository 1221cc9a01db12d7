"""A node's housekeeping: the hub's life, configs and rights, declarations, freshness."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from pathway_viz import wire
from pathway_viz.bus.types import TopicState
from pathway_viz.conf import settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.topics import Topic
from pathway_viz.web import declared
from pathway_viz.web.edits import GROUP
from pathway_viz.web.freshness import judge
from pathway_viz.web.grants import Grant, examine
from pathway_viz.web.hub import Hub
from pathway_viz.web.viewer import Viewer, Watched
from pathway_viz.wire import CloseCode, HistoryRequest, Liveness, SnapshotReason

logger = logging.getLogger("pathway_viz.web")
_PAUSE_S = 1.0


class Node:
    """One per event loop, made by the first viewer and ended after the last."""

    _nodes: ClassVar[dict[asyncio.AbstractEventLoop, Node]] = {}

    def __init__(self) -> None:
        self._settings = settings()
        self.hub = Hub(self._settings)
        self._catalogue: dict[str, Topic] = {}
        self._states: dict[str, TopicState] = {}
        self._liveness: dict[str, Liveness] = {}
        self._ready = asyncio.Event()
        self._edited = asyncio.Event()

    @classmethod
    async def enter(cls, viewer: Viewer) -> Node | None:
        """The node of this event loop with ``viewer`` in it; None if it is full."""
        loop = asyncio.get_running_loop()
        node = cls._nodes.get(loop)
        if node is None:
            node = cls._nodes[loop] = cls()
            await node._start()
        if len(node.hub.viewers) >= node._settings.max_viewers:
            return None
        node.hub.viewers.add(viewer)
        return node

    async def leave(self, viewer: Viewer) -> None:
        """Let ``viewer`` go; the last one ends the node."""
        self.hub.leave(viewer)
        if not self.hub.viewers:
            self._nodes.pop(asyncio.get_running_loop(), None)
            await self.hub.stop()

    async def _start(self) -> None:
        await self.hub.start()
        for work in (self._follow_news, self._follow_edits, self._check_rights, self._check_health):
            self.hub.spawn(self._for_ever(work))

    @staticmethod
    async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except BusUnreachable:
                await asyncio.sleep(_PAUSE_S)
            except Exception:
                logger.exception("The node's housekeeping failed; trying again.")
                await asyncio.sleep(_PAUSE_S)

    # ------------------------------------------------------------ watching

    async def watch(self, viewer: Viewer, hello: wire.Hello) -> None:
        """Answer a `hello`: configs and refusals, then states, then frames."""
        viewer.watched = Watched(hello.dashboards, hello.topics)
        viewer.positions = {t: wire.Position.parse(p) for t, p in hello.positions.items()}
        await self._first_catalogue()
        viewer.configs = {}
        grant = await self._examine(viewer)
        if not self._deliver(viewer, grant):
            return
        await self.hub.join(viewer, grant.topics, SnapshotReason.JOIN)
        await self._tell_status(viewer)

    async def rejoin(self, viewer: Viewer) -> None:
        """A viewer that lagged can take something again: give it fresh states."""
        await self.hub.join(viewer, viewer.topics, SnapshotReason.LAG)

    async def history(self, viewer: Viewer, request: HistoryRequest) -> None:
        """Answer a request for points of the past."""
        from pathway_viz.web.history import answer

        topic = self._catalogue.get(request.topic)
        if topic is None or request.topic not in viewer.topics:
            text = f"You do not watch topic {request.topic[:100]!r}."
            viewer.say(
                wire.encode(wire.Error(code=CloseCode.FORBIDDEN, text=text, about=request.id))
            )
            return
        start, end = max(0, request.start), request.end or int(time.time() * 1000) + 60_000
        limit = self._settings.history_points
        wanted = max(1, min(request.points, limit))
        reader = self.hub.reader
        try:
            entries = await reader.log_range(topic.name, start, end, limit)
            oldest = await reader.oldest(topic.name)
        except BusUnreachable as error:
            viewer.say(wire.encode(wire.Error(code=503, text=str(error), about=request.id)))
            return
        bounded = wire.HistoryRequest(
            id=request.id,
            topic=request.topic,
            columns=request.columns,
            start=start,
            points=wanted,
        )
        found = await asyncio.to_thread(answer, bounded, topic, entries, oldest)
        viewer.say(wire.encode(found))

    async def _first_catalogue(self) -> None:
        """Carry over what code declares once, before the first viewer is answered."""
        if self._ready.is_set():
            return
        try:
            self._catalogue = await self.hub.reader.catalogue()
            specs = await self.hub.reader.dashboards()
        except BusUnreachable as error:
            logger.warning("%s Viewers are told that nothing is known.", error)
            return
        await database_sync_to_async(declared.apply_all)(specs)
        self._ready.set()

    async def _examine(self, viewer: Viewer) -> Grant:
        grant: Grant = await database_sync_to_async(examine)(
            viewer.user, viewer.session_key, viewer.watched, self._catalogue
        )
        return grant

    def _deliver(self, viewer: Viewer, grant: Grant) -> bool:
        """Send configs that are new to the viewer; close it if nothing is left to watch."""
        errors = [wire.encode(refusal) for refusal in grant.refusals]
        changed = [c for slug, c in grant.configs.items() if viewer.configs.get(slug) != c]
        viewer.configs = grant.configs
        viewer.say(*errors, *changed)
        if grant.empty and grant.refusals:
            viewer.close(CloseCode(grant.refusals[0].code))
        return not grant.empty

    # ------------------------------------------------------------ news, edits and rights

    async def _follow_news(self) -> None:
        news = await self.hub.news.get()
        self._catalogue = await self.hub.reader.catalogue()
        if news.subject == "dashboard":
            specs = await self.hub.reader.dashboards()
            await database_sync_to_async(declared.apply_all)(specs)
        while not self.hub.news.empty():
            self.hub.news.get_nowait()
        self._edited.set()

    async def _follow_edits(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            await asyncio.Event().wait()
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        while True:
            await layer.receive(channel)
            self._edited.set()

    async def _check_rights(self) -> None:
        """After every edit, and every CHECK_S, look again who may see what."""
        try:
            async with asyncio.timeout(self._settings.check_s):
                await self._edited.wait()
        except TimeoutError:
            pass
        self._edited.clear()
        if not self._ready.is_set():
            await self._first_catalogue()
        for viewer in [v for v in self.hub.viewers if v.configs]:
            await self._check(viewer)

    async def _check(self, viewer: Viewer) -> None:
        before = set(viewer.configs)
        grant = await self._examine(viewer)
        lost = before - set(grant.configs)
        if lost and grant.refusals:
            viewer.say(*(wire.encode(refusal) for refusal in grant.refusals))
            viewer.close(CloseCode(grant.refusals[0].code))
        elif self._deliver(viewer, grant) and grant.topics != viewer.topics:
            await self.hub.join(viewer, grant.topics, SnapshotReason.JOIN)
            await self._tell_status(viewer)

    # ------------------------------------------------------------ freshness and slow viewers

    async def _check_health(self) -> None:
        await asyncio.sleep(1.0)
        self._check_viewers()
        before = self._liveness
        await self._judge(self.hub.watched)
        changed = {t for t, state in self._liveness.items() if before.get(t) is not state}
        for topics, audience in self.hub.audiences():
            mine = [topic for topic in topics if topic in changed]
            if mine:
                self.hub.tell(audience, self._status(mine))

    async def _judge(self, topics: tuple[str, ...]) -> None:
        told = self._settings
        try:
            self._states = await self.hub.reader.states(topics)
        except BusUnreachable:
            self._states = {}
        self._liveness = judge(topics, self._states, told.idle_after_s, told.stale_after_s)

    async def _tell_status(self, viewer: Viewer) -> None:
        if any(topic not in self._liveness for topic in viewer.topics):
            await self._judge(self.hub.watched)
        viewer.outbox.put(self._status(viewer.topics))

    def _status(self, topics: tuple[str, ...] | list[str]) -> str:
        status = wire.Status(
            topics={topic: self._liveness.get(topic, Liveness.UNKNOWN) for topic in topics},
            commits={t: self._states[t].commit for t in topics if t in self._states},
            now=int(time.time() * 1000),
        )
        return wire.join([wire.encode(status)]).decode()

    def _check_viewers(self) -> None:
        beat = wire.join([wire.encode(wire.Status(now=int(time.time() * 1000)))]).decode()
        for viewer in list(self.hub.viewers):
            if viewer.outbox.silent_for() > self._settings.slow_viewer_timeout_s:
                viewer.close(CloseCode.TOO_SLOW)
            elif time.monotonic() - viewer.outbox.last_put > self._settings.heartbeat_ms / 1000:
                viewer.outbox.put(beat)
