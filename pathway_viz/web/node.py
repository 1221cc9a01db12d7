"""A node: the hub, the rights and the health of one event loop, and how they live together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from pathway_viz import wire
from pathway_viz.conf import settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.web import draining
from pathway_viz.web.health import Health
from pathway_viz.web.history import Histories
from pathway_viz.web.hub import Hub
from pathway_viz.web.message import status
from pathway_viz.web.rights import Rights
from pathway_viz.web.viewer import Viewer, Watched
from pathway_viz.wire import CloseCode, HistoryRequest, SnapshotReason

logger = logging.getLogger("pathway_viz.web")
_PAUSE_S: Final = 1.0
_LONGEST_STEP_S: Final = 0.01  # between two viewers that are sent away


class Node:
    """One per event loop, made by the first viewer and ended after the last."""

    _nodes: ClassVar[dict[asyncio.AbstractEventLoop, Node]] = {}

    def __init__(self) -> None:
        self._settings = settings()
        self.hub = Hub(self._settings)
        self._rights = Rights(self._settings, self.hub)
        self._health = Health(self._settings, self.hub)
        self._histories = Histories(self._settings, self.hub)

    @classmethod
    async def enter(cls, viewer: Viewer) -> Node | None:
        """The node of this event loop with ``viewer`` in it; None if it is full."""
        loop = asyncio.get_running_loop()
        node = cls._nodes.get(loop)
        fresh = node is None
        if node is None:
            node = cls._nodes[loop] = cls()
        if len(node.hub.viewers) >= node._settings.max_viewers:
            return None
        node.hub.viewers.add(viewer)
        if fresh:
            await node._start()
        return node

    async def leave(self, viewer: Viewer) -> None:
        """Let ``viewer`` go; the last one ends the node."""
        self.hub.leave(viewer)
        if not self.hub.viewers:
            loop = asyncio.get_running_loop()
            if self._nodes.get(loop) is self:
                del self._nodes[loop]
            await self.hub.stop()

    async def _start(self) -> None:
        await self.hub.start()
        for work in (self._rights.follow_news, self._rights.check, self._health.check):
            self.hub.spawn(self._for_ever(work))
        self.hub.spawn(self._drain())

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

    async def _drain(self) -> None:
        """When the process is to end, send the viewers to the other nodes, a few at a time."""
        async with draining.ending():
            viewers = list(self.hub.viewers)
            last = status(draining=True)
            for viewer in viewers:
                viewer.outbox.put(last)
            pause = min(_LONGEST_STEP_S, self._settings.drain_s / len(viewers))
            for viewer in viewers:
                viewer.close(CloseCode.DRAINING)
                await asyncio.sleep(pause)

    # ------------------------------------------------------------ what viewers ask for

    async def watch(self, viewer: Viewer, hello: wire.Hello) -> None:
        """Answer a `hello`: configs and refusals, then states, then frames."""
        viewer.watched = Watched(hello.dashboards, hello.topics)
        viewer.positions = {t: wire.Position.parse(p) for t, p in hello.positions.items()}
        await self._rights.first_catalogue()
        viewer.configs = {}
        grant = await self._rights.grant(viewer)
        if not self._rights.deliver(viewer, grant):
            return
        await self.hub.join(viewer, grant.topics, SnapshotReason.JOIN)
        await self._health.tell(viewer)

    async def rejoin(self, viewer: Viewer) -> None:
        """A viewer that lagged can take something again: give it what it missed."""
        viewer.positions = viewer.outbox.positions
        await self.hub.join(viewer, viewer.topics, SnapshotReason.LAG)
        await self._health.tell(viewer)

    async def history(self, viewer: Viewer, request: HistoryRequest) -> None:
        """Answer a request for points of the past."""
        if request.topic not in viewer.topics or request.topic not in self.hub.follower.catalogue:
            text = f"You do not watch topic {request.topic[:100]!r}."
            code = int(CloseCode.FORBIDDEN)
            viewer.say(wire.encode(wire.Error(code=code, text=text, about=request.id)))
            return
        try:
            viewer.say(await self._histories.answer(request))
        except BusUnreachable as error:
            viewer.say(wire.encode(wire.Error(code=503, text=str(error), about=request.id)))
