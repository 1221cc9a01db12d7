"""What a viewer is given when it asks to watch: configs and topics, or refusals. Reads the DB."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser

from pathway_viz import wire
from pathway_viz.models import Dashboard
from pathway_viz.topics import Topic
from pathway_viz.web import access
from pathway_viz.web.config import dashboard_config, topics_config
from pathway_viz.web.viewer import Watched
from pathway_viz.wire import CloseCode


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What may be watched: `config` envelopes by dashboard ('' for bare topics), and topics."""

    configs: dict[str, bytes]
    topics: tuple[str, ...]
    refusals: tuple[wire.Error, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing may be watched."""
        return not self.configs


def examine(
    user: Any, session_key: str | None, watched: Watched, catalogue: Mapping[str, Topic]
) -> Grant:
    """Look up what ``user``, as the database knows it now, may see of what it asks for."""
    viewer = _current(user, session_key)
    found = _dashboards(viewer, watched)
    change = ("change",) if access.may_change(viewer) else ()
    configs = {d.slug: wire.encode(dashboard_config(d, catalogue, change)) for d in found}
    topics = {widget.topic for dashboard in found for widget in dashboard.widgets.all()}
    if watched.topics and change:
        configs[""] = wire.encode(topics_config(watched.topics, catalogue))
        topics.update(watched.topics)
    missing = [slug for slug in watched.dashboards if slug not in configs]
    refusals = [_refusal(viewer, slug) for slug in missing]
    if watched.topics and not change:
        refusals.append(_forbidden(viewer, "You may not watch topics without a dashboard.", ""))
    return Grant(configs=configs, topics=tuple(sorted(topics)), refusals=tuple(refusals))


def _current(user: Any, session_key: str | None) -> Any:
    """The user as of now: signed out, deleted or switched off means anonymous."""
    if not user.is_authenticated or (session_key and not _session_lives(session_key)):
        return AnonymousUser()
    return access.current_users([user.pk]).get(user.pk) or AnonymousUser()


def _session_lives(key: str) -> bool:
    store = import_module(django_settings.SESSION_ENGINE).SessionStore
    return bool(store().exists(key))


def _dashboards(viewer: Any, watched: Watched) -> list[Dashboard]:
    found = (
        access.visible_to(viewer).filter(slug__in=watched.dashboards).prefetch_related("widgets")
    )
    return sorted(found, key=lambda dashboard: watched.dashboards.index(dashboard.slug))


def _refusal(viewer: Any, slug: str) -> wire.Error:
    if not Dashboard.objects.filter(slug=slug).exists():
        return wire.Error(
            code=CloseCode.NO_DASHBOARD, text=f"There is no dashboard {slug!r}.", about=slug
        )
    return _forbidden(viewer, "You may not see this dashboard.", slug)


def _forbidden(viewer: Any, text: str, about: str) -> wire.Error:
    if viewer.is_authenticated:
        return wire.Error(code=CloseCode.FORBIDDEN, text=text, about=about)
    return wire.Error(code=CloseCode.SIGNED_OUT, text="Sign in to see this.", about=about)
