"""From the models to the `config` message: widgets, schemas, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pathway_viz import wire
from pathway_viz.conf import settings
from pathway_viz.errors import DeclarationError
from pathway_viz.models import Dashboard, Widget
from pathway_viz.topics import Topic
from pathway_viz.widgets import complete_options, problems


def dashboard_config(
    dashboard: Dashboard, topics: Mapping[str, Topic], rights: tuple[str, ...]
) -> wire.Config:
    """The `config` of one dashboard; ``topics`` is the catalogue."""
    widgets = tuple(widget_config(widget, topics) for widget in dashboard.widgets.all())
    shown = {widget.topic for widget in widgets}
    return wire.Config(
        dashboard=wire.DashboardConfig(
            slug=dashboard.slug,
            title=dashboard.title,
            description=dashboard.description,
            theme=dashboard.theme,
            revision=dashboard.revision,
            widgets=widgets,
        ),
        topics={name: topic for name, topic in topics.items() if name in shown},
        rights=rights,
        heartbeat_ms=settings().heartbeat_ms,
    )


def topics_config(names: Iterable[str], topics: Mapping[str, Topic]) -> wire.Config:
    """The `config` of bare topics, for previews."""
    return wire.Config(
        dashboard=None,
        topics={name: topics[name] for name in names if name in topics},
        rights=("change",),
        heartbeat_ms=settings().heartbeat_ms,
    )


def widget_config(widget: Widget, topics: Mapping[str, Topic]) -> wire.WidgetConfig:
    """One widget, with a warning for everything about it that cannot be shown."""
    return wire.WidgetConfig(
        name=widget.name,
        kind=widget.kind,
        title=widget.title,
        description=widget.description,
        topic=widget.topic,
        size=widget.size,
        options=complete_options(widget.kind, widget.options),
        warnings=tuple(_warnings(widget, topics.get(widget.topic))),
    )


def _warnings(widget: Widget, topic: Topic | None) -> list[str]:
    if topic is None:
        return [f"Topic {widget.topic!r} has never been published."]
    try:
        unfit = problems(widget.typed_options(), topic) if topic.columns else []
    except DeclarationError as error:
        unfit = [str(error)]
    return [*unfit, *topic.problems]
