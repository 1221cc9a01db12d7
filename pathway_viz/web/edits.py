"""Edits of dashboards: counted in the models, told to every node as news on the bus."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from pathway_viz.bus.news import tell
from pathway_viz.bus.types import News
from pathway_viz.conf import settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.models import Dashboard, Widget

EDIT: Final = "edit"
logger = logging.getLogger("pathway_viz.web")


def connect() -> None:
    """Count and announce every edit from now on."""
    post_save.connect(_widget_changed, Widget)
    post_delete.connect(_widget_changed, Widget)
    post_save.connect(_dashboard_changed, Dashboard)
    pre_delete.connect(_dashboard_changed, Dashboard)
    m2m_changed.connect(_rights_changed, Dashboard.users.through)
    m2m_changed.connect(_rights_changed, Dashboard.groups.through)


def announce(slug: str) -> None:
    """Tell every node that dashboard ``slug`` was edited, once the transaction is through.

    A hint only: nodes also look by themselves every CHECK_S, so a Redis that is away is logged
    and breaks nothing.
    """
    transaction.on_commit(lambda: _tell(slug))


def _tell(slug: str) -> None:
    try:
        tell(settings().bus, News(EDIT, slug))
    except BusUnreachable as error:
        logger.warning("The edit of dashboard %r was not announced: %s", slug, error)


def _widget_changed(instance: Widget, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
    if not raw:
        _bump(instance.dashboard_id)


def _dashboard_changed(instance: Dashboard, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
    if not raw:
        _bump(instance.pk)


def _rights_changed(instance: Any, action: str, pk_set: set[int] | None, **_: Any) -> None:
    if not action.startswith("post_"):
        return
    keys = {instance.pk} if isinstance(instance, Dashboard) else pk_set or set()
    for key in keys:
        _bump(key)


def _bump(key: int) -> None:
    found = Dashboard.objects.filter(pk=key)
    found.update(revision=F("revision") + 1)
    for slug in found.values_list("slug", flat=True):
        announce(slug)
