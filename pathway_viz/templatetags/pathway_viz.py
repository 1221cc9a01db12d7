"""Dashboards and widgets in any page of the host site: ``{% load pathway_viz %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.translation import gettext as _

from pathway_viz.models import Dashboard, Widget
from pathway_viz.web import access
from pathway_viz.web.views import context as page_context

register = template.Library()


@register.inclusion_tag("pathway_viz/_assets.html")
def pathway_viz_assets() -> dict[str, Any]:
    """The style sheet and the script, once in the page's head."""
    return {}


@register.inclusion_tag("pathway_viz/_embedded.html", takes_context=True)
def pathway_viz_dashboard(context: RequestContext, slug: str) -> dict[str, Any]:
    """A whole dashboard, for whoever may see it; a short notice for everybody else."""
    found = _visible(context, slug)
    if found is None:
        return _refused(slug)
    return page_context(dashboard=found, widgets=found.widgets.all())


@register.inclusion_tag("pathway_viz/_embedded.html", takes_context=True)
def pathway_viz_widget(context: RequestContext, slug: str, widget: str) -> dict[str, Any]:
    """One widget of a dashboard, for whoever may see it; a short notice for everybody else."""
    found = _visible(context, slug)
    shown: Widget | None = found.widgets.filter(name=widget).first() if found else None
    if shown is None:
        return _refused(f"{slug}/{widget}")
    return page_context(dashboard=found, widgets=[shown], only=widget)


def _visible(context: RequestContext, slug: str) -> Dashboard | None:
    return access.visible_to(context["request"].user).filter(slug=slug).first()


def _refused(name: str) -> dict[str, Any]:
    return {"refused": _("“%(name)s” is not available to you.") % {"name": name}}
