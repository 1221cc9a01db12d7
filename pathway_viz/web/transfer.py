"""Dashboards as JSON: exported, imported, duplicated. An import changes all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from django.db import transaction

from pathway_viz.errors import DeclarationError, PathwayVizError
from pathway_viz.models import Dashboard, Visibility, Widget
from pathway_viz.widgets import DashboardSpec, WidgetSpec, decode_options

MAX_BYTES: Final = 1_000_000


class ImportRefused(PathwayVizError):
    """An import file is not what an export writes."""


def dump(board: Dashboard) -> DashboardSpec:
    """A dashboard with its widgets. Users and groups stay behind: other sites have others."""
    widgets = (
        {field: getattr(widget, field) for field in WidgetSpec.__struct_fields__}
        for widget in board.widgets.all()
    )
    head = {field: getattr(board, field) for field in ("slug", "title", "description", "theme")}
    values = {**head, "visibility": board.visibility, "worker": "", "widgets": list(widgets)}
    return msgspec.convert(values, DashboardSpec)


def dump_all(boards: Iterable[Dashboard]) -> bytes:
    """Dashboards as one JSON file."""
    return msgspec.json.format(msgspec.json.encode([dump(board) for board in boards]))


def load_all(text: bytes) -> list[Dashboard]:
    """Create the dashboards of an export; those whose slug is taken get another one.

    Raises:
        ImportRefused: naming the place in the file; nothing was created then.

    """
    if len(text) > MAX_BYTES:
        raise ImportRefused(f"The file is larger than {MAX_BYTES:,} bytes.")
    try:
        specs = msgspec.json.decode(text, type=list[DashboardSpec])
        for spec in specs:
            for widget in spec.widgets:
                decode_options(widget.kind, widget.options)
    except (msgspec.MsgspecError, DeclarationError) as error:
        raise ImportRefused(f"This is not an export of dashboards: {error}") from error
    with transaction.atomic():
        return [load(spec) for spec in specs]


def load(spec: DashboardSpec, *, rename: bool = False) -> Dashboard:
    """Create a dashboard; ``rename`` says in its title that it is a copy."""
    title = f"{spec.title} (copy)" if rename else spec.title
    board = Dashboard.objects.create(
        slug=_free_slug(spec.slug),
        title=title,
        description=spec.description,
        theme=spec.theme or "auto",
        visibility=spec.visibility or Visibility.RESTRICTED,
    )
    for order, widget in enumerate(spec.widgets):
        values: dict[str, Any] = msgspec.to_builtins(widget)
        Widget.objects.create(dashboard=board, order=order, **values)
    return board


def _free_slug(wish: str) -> str:
    slug, number = wish, 1
    while Dashboard.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{wish}-{number}"
    return slug
