"""Who may see what: grants when a viewer comes, after every edit, and by a timer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any, Final

from channels.db import database_sync_to_async

from pathway_viz import wire
from pathway_viz.conf import Settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.web import declared
from pathway_viz.web.edits import EDIT
from pathway_viz.web.grants import Grant, examine
from pathway_viz.web.hub import Hub
from pathway_viz.web.shared import Shared
from pathway_viz.web.viewer import Viewer, Watched
from pathway_viz.wire import CloseCode, SnapshotReason

_GRANT_S: Final = 0.5  # so long may viewers that come one after the other share a grant
_ROUND: Final = 200  # viewers looked at before the others get a turn
logger = logging.getLogger("pathway_viz.web")


@dataclass(frozen=True)
class Asked:
    """Who asks for what; viewers that are the same here are granted the same."""

    who: Any  # the user's primary key; None: nobody signed in
    session_key: str | None
    watched: Watched
    user: Any = field(compare=False)


class Rights:
    """Keeps what every viewer has in accordance with what it may see."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._ready = False
        self._edited = asyncio.Event()
        self._firsts: Shared[None, None] = Shared(self._carry_over, _GRANT_S)
        self._grants: Shared[Asked, Grant] = Shared(self._examine, _GRANT_S)

    # ------------------------------------------------------------ what a viewer gets

    async def first_catalogue(self) -> None:
        """Carry over what code declares once, before the first viewer is answered."""
        if not self._ready:
            await self._firsts.get(None)

    async def _carry_over(self, _: None) -> None:
        try:
            await self._learn()
        except BusUnreachable as error:
            logger.warning("%s Viewers are told that nothing is known.", error)
        else:
            self._ready = True

    async def _learn(self) -> None:
        await self._hub.follower.learn(await self._hub.reader.catalogue())
        specs = await self._hub.reader.dashboards()
        await database_sync_to_async(declared.apply_all)(specs)

    async def grant(self, viewer: Viewer) -> Grant:
        """What ``viewer`` may see of what it asks for; shared by all who ask the same."""
        return await self._grants.get(self._asked_by(viewer))

    @staticmethod
    def _asked_by(viewer: Viewer) -> Asked:
        user = viewer.user
        if not user.is_authenticated:
            return Asked(None, None, viewer.watched, user)
        return Asked(user.pk, viewer.session_key, viewer.watched, user)

    async def _examine(self, asked: Asked) -> Grant:
        grant: Grant = await database_sync_to_async(examine)(
            asked.user, asked.session_key, asked.watched, self._hub.follower.catalogue
        )
        return grant

    def deliver(self, viewer: Viewer, grant: Grant) -> bool:
        """Send configs that are new to the viewer; close it if nothing is left to watch."""
        errors = [wire.encode(refusal) for refusal in grant.refusals]
        changed = [c for slug, c in grant.configs.items() if viewer.configs.get(slug) != c]
        viewer.configs = grant.configs
        viewer.say(*errors, *changed)
        if grant.empty and grant.refusals:
            viewer.close(CloseCode(grant.refusals[0].code))
        return not grant.empty

    # ------------------------------------------------------------ news, edits and the timer

    async def follow_news(self) -> None:
        """Take note of what workers declare and people edit, also of what may have been missed."""
        news = self._hub.follower.news
        subjects = {(await news.get()).subject}
        while not news.empty():
            subjects.add(news.get_nowait().subject)
        if subjects != {EDIT}:
            await self._learn()
        self._edited.set()

    async def check(self) -> None:
        """After every edit, and every CHECK_S, look again who may see what."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.check_s):
                await self._edited.wait()
        self._edited.clear()
        await self.first_catalogue()
        self._grants.forget_all()
        same: dict[Asked, list[Viewer]] = {}
        for viewer in self._hub.viewers:
            if viewer.configs:
                same.setdefault(self._asked_by(viewer), []).append(viewer)
        for asked, viewers in same.items():
            grant = await self._grants.get(asked)
            for number, viewer in enumerate(viewers, 1):
                await self._apply(grant, viewer)
                if number % _ROUND == 0:
                    await asyncio.sleep(0)

    async def _apply(self, grant: Grant, viewer: Viewer) -> None:
        if viewer.configs == grant.configs and viewer.topics == grant.topics:
            return
        lost = set(viewer.configs) - set(grant.configs)
        if lost and grant.refusals:
            viewer.say(*(wire.encode(refusal) for refusal in grant.refusals))
            viewer.close(CloseCode(grant.refusals[0].code))
        elif self.deliver(viewer, grant) and grant.topics != viewer.topics:
            await self._hub.join(viewer, grant.topics, SnapshotReason.JOIN)
