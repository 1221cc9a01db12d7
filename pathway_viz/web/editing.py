"""The pages that change dashboards: topics on offer, widget forms with a live preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pathway_viz.forms import WidgetForm, free_name
from pathway_viz.models import Dashboard, Widget
from pathway_viz.web import access
from pathway_viz.web import catalogue as live
from pathway_viz.web.config import widget_config
from pathway_viz.web.views import context

View = Callable[..., HttpResponseBase]


def for_editors(view: View) -> View:
    """Let only those in who may change widgets; others sign in, or are refused."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if access.may_change(request.user):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())

    return guarded


@for_editors
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """The topics that are published, each with a way to make a widget of it."""
    topics, problem = live.topics()
    alive = live.liveness(list(topics))
    rows = [{"topic": topic, "liveness": alive[name]} for name, topic in topics.items()]
    return _page(request, "catalogue", rows=rows, problem=problem, boards=_boards(request))


@for_editors
@require_safe
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A dashboard's widgets, to be ordered, changed, added and removed."""
    found = _board(request, slug)
    return _page(request, "edit", dashboard=found, widgets=found.widgets.all())


@for_editors
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a widget."""
    found = _board(request, slug)
    widget = Widget(dashboard=found, order=found.widgets.count())
    return _form(request, widget, _hints(request))


@for_editors
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Change a widget."""
    return _form(request, _widget(request, slug, name), {})


@for_editors
@require_POST
def move(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Move a widget one place up or down."""
    found = _board(request, slug)
    with transaction.atomic():
        widgets = list(found.widgets.select_for_update())
        at = next((i for i, widget in enumerate(widgets) if widget.name == name), 0)
        to = at + (-1 if request.POST.get("to") == "up" else 1)
        if 0 <= to < len(widgets):
            widgets.insert(to, widgets.pop(at))
        for order, widget in enumerate(widgets):
            if widget.order != order:
                widget.order = order
                widget.save(update_fields=["order"])
    return _page(request, "_widgets", dashboard=found, widgets=found.widgets.all())


@for_editors
@require_POST
def delete(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Remove a widget."""
    widget = _widget(request, slug, name)
    _note(request, widget, DELETION, _("Removed on the dashboard's page."))
    found = widget.dashboard
    widget.delete()
    return _page(request, "_widgets", dashboard=found, widgets=found.widgets.all())


@for_editors
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """The option fields for the kind and the topic that were just chosen, and the preview."""
    form = _unsaved(request)
    return _page(request, "_form_fields", form=form, preview=preview_spec(form))


@for_editors
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The widget as the form describes it now, live."""
    return _page(request, "_preview", preview=preview_spec(_unsaved(request)))


def _unsaved(request: HttpRequest) -> WidgetForm:
    topics, _problem = live.topics()
    return WidgetForm(request.POST, topics=topics, instance=Widget())


def preview_spec(form: WidgetForm) -> str:
    """The widget in a form as JSON for ``<pv-widget spec>``, as far as it is complete."""
    widget = form.instance
    if form.is_bound:
        form.is_valid()
        widget.title = form.data.get("title") or form.topic_name
    widget.kind, widget.topic = form.kind, form.topic_name
    widget.options = form.preview_options()
    widget.name = "preview"
    topics = form.topics
    return msgspec.json.encode(widget_config(widget, topics)).decode()


def _form(request: HttpRequest, widget: Widget, initial: dict[str, Any]) -> HttpResponse:
    topics, problem = live.topics()
    form = WidgetForm(request.POST or None, topics=topics, instance=widget, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form)
    found = widget.dashboard
    return _page(
        request,
        "widget_form",
        form=form,
        dashboard=found,
        problem=problem,
        preview=preview_spec(form),
    )


def _saved(request: HttpRequest, form: WidgetForm) -> HttpResponse:
    widget = form.instance
    is_new = widget.pk is None
    if is_new:
        widget.name = free_name(widget.dashboard, widget.title)
    form.save()
    done = _("Added on the dashboard's page.") if is_new else _("Changed on the dashboard's page.")
    _note(request, widget, ADDITION if is_new else CHANGE, done)
    messages.success(request, _("“%(title)s” is saved.") % {"title": widget.title})
    return redirect("pathway_viz:edit", widget.dashboard.slug)


def _note(request: HttpRequest, widget: Widget, flag: int, text: str) -> None:
    """Keep in the admin's history who did what."""
    LogEntry.objects.log_actions(int(request.user.pk or 0), [widget], flag, text)


def _hints(request: HttpRequest) -> dict[str, Any]:
    asked = {key: request.GET[key] for key in ("topic", "kind") if key in request.GET}
    topic = live.topics()[0].get(asked.get("topic", ""))
    if topic is None:
        return asked
    return {"kind": topic.kind_hint, "title": topic.title, "options": topic.options_hint, **asked}


def _boards(request: HttpRequest) -> Any:
    return access.visible_to(request.user)


def _board(request: HttpRequest, slug: str) -> Dashboard:
    return get_object_or_404(access.visible_to(request.user), slug=slug)


def _widget(request: HttpRequest, slug: str, name: str) -> Widget:
    return get_object_or_404(_board(request, slug).widgets.all(), name=name)


def _page(request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    return render(request, f"pathway_viz/{template}.html", context(**more))
