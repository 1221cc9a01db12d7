"""What viewers may believe, and which viewers are alive: looked at once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from pathway_viz.bus.types import TopicState
from pathway_viz.conf import Settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.web.freshness import judge
from pathway_viz.web.hub import Hub
from pathway_viz.web.message import Message, status
from pathway_viz.web.viewer import Viewer
from pathway_viz.wire import CloseCode, Liveness

_EVERY_S: Final = 1.0
_ANSWER_S: Final = 1.5  # a Redis that takes longer counts as one that does not answer


class Health:
    """Judges topics and viewers."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._states: dict[str, TopicState] = {}
        self._liveness: dict[str, Liveness] = {}

    async def check(self) -> None:
        """Wait a second, then tell what has changed."""
        await asyncio.sleep(_EVERY_S)
        for audience in self._hub.audiences():
            audience.settle()
        self._check_viewers()
        before = self._liveness
        await self._judge(self._hub.watched)
        changed = {t for t, state in self._liveness.items() if before.get(t) is not state}
        for audience in self._hub.audiences():
            mine = [topic for topic in audience.topics if topic in changed]
            if mine:
                self._hub.tell(audience, self._status(mine))

    async def tell(self, viewer: Viewer) -> None:
        """Tell one viewer how its topics are."""
        if any(topic not in self._liveness for topic in viewer.topics):
            await self._judge(self._hub.watched)
        viewer.outbox.put(self._status(viewer.topics))

    async def _judge(self, topics: tuple[str, ...]) -> None:
        told = self._settings
        try:
            async with asyncio.timeout(_ANSWER_S):
                self._states = await self._hub.reader.states(topics)
        except (BusUnreachable, TimeoutError):
            self._liveness = dict.fromkeys(topics, Liveness.STALE)
        else:
            self._liveness = judge(topics, self._states, told)

    def _status(self, topics: Iterable[str]) -> Message:
        topics = tuple(topics)
        return status(
            topics={topic: self._liveness.get(topic, Liveness.UNKNOWN) for topic in topics},
            commits={t: self._states[t].commit for t in topics if t in self._states},
        )

    def _check_viewers(self) -> None:
        beat = status()
        patience = self._settings.slow_viewer_timeout_s
        quiet = beat.at - self._settings.heartbeat_ms / 1000
        for viewer in list(self._hub.viewers):
            outbox = viewer.outbox
            if outbox.silent_for(beat.at) > patience:
                viewer.close(CloseCode.TOO_SLOW)
            elif outbox.last_put < quiet:
                outbox.put(beat)
