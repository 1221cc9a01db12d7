"""Edits of dashboards: counted in the models, told to every node through the channel layer."""

from __future__ import annotations

import logging
from typing import Any, Final

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from pathway_viz.models import Dashboard, Widget

GROUP: Final = "pathway_viz.edits"
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
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(GROUP, {"type": "edited", "slug": slug})
    except Exception as error:  # noqa: BLE001 - whatever the layer raises, saving goes on
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
