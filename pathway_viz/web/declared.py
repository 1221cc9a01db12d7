"""What code declares, carried over into the models; what an administrator changed stays changed.

Every model field is compared with what the code declared before: only where they are the same, the
field follows the code.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from django.db import IntegrityError, OperationalError, transaction

from pathway_viz.conf import settings
from pathway_viz.models import Dashboard, Theme, Widget
from pathway_viz.widgets import DashboardSpec, WidgetSpec

_ATTEMPTS: Final = 8
_PAUSE_S: Final = 0.05
Values = dict[str, Any]


def apply_all(specs: Iterable[DashboardSpec]) -> None:
    """Create or update every declared dashboard; safe to run on several nodes at once."""
    for spec in specs:
        apply(spec)


def apply(spec: DashboardSpec) -> None:
    """Create or update one declared dashboard and its widgets."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                _apply(spec)
        except (IntegrityError, OperationalError):  # another node was faster, or writes just now
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE_S * (attempt + random.random()))  # noqa: S311 - jitter
        else:
            return


def _apply(spec: DashboardSpec) -> None:
    declared = _dashboard_values(spec)
    held = Dashboard.objects.select_for_update().filter(slug=spec.slug).first()
    if held is None:
        held = Dashboard(slug=spec.slug, worker=spec.worker)
    elif not held.worker:
        declared = {}  # made by hand: only its widgets are added
    if _follow(held, declared):
        held.save()
    _apply_widgets(held, spec)


def _apply_widgets(dashboard: Dashboard, spec: DashboardSpec) -> None:
    held = {widget.name: widget for widget in dashboard.widgets.all()}
    for order, declared in enumerate(spec.widgets):
        new = Widget(dashboard=dashboard, name=declared.name, worker=spec.worker)
        widget = held.get(declared.name, new)
        if widget.worker == spec.worker and _follow(widget, _widget_values(declared, order)):
            widget.save()
    names = {declared.name for declared in spec.widgets}
    for widget in held.values():
        mine = widget.worker == spec.worker
        if mine and widget.name not in names and not _touched(widget):
            widget.delete()


def _follow(held: Dashboard | Widget, declared: Values) -> bool:
    """Move untouched fields of ``held`` to ``declared``; False if there was nothing to do."""
    if held.pk and held.declared == declared:
        return False
    before: Mapping[str, Any] = held.declared
    for field, value in declared.items():
        untouched = field not in before or getattr(held, field) == before[field]
        if not held.pk or untouched:
            setattr(held, field, value)
    held.declared = declared
    return True


def _touched(widget: Widget) -> bool:
    return any(getattr(widget, field) != value for field, value in widget.declared.items())


def _dashboard_values(spec: DashboardSpec) -> Values:
    return {
        "title": spec.title,
        "description": spec.description,
        "visibility": spec.visibility or settings().default_visibility,
        "theme": spec.theme or Theme.AUTO.value,
    }


def _widget_values(spec: WidgetSpec, order: int) -> Values:
    values: Values = msgspec.to_builtins(spec)
    fields = ("kind", "topic", "title", "description", "size", "options")
    return {"order": order, **{field: values[field] for field in fields}}
