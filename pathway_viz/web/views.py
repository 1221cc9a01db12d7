"""The pages that show dashboards."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from pathway_viz.conf import settings
from pathway_viz.models import Dashboard
from pathway_viz.web import access, catalogue


@require_safe
def dashboards(request: HttpRequest) -> HttpResponse:
    """The dashboards that this user may see, with a search; htmx gets the list alone.

    An empty list asks again by itself (``waiting``) and is left as it is (204) until
    there is something to show.
    """
    catalogue.carry_over()
    words = request.GET.get("q", "").strip()
    found = access.visible_to(request.user).annotate(count=Count("widgets", distinct=True))
    for word in words.split():
        found = found.filter(Q(title__icontains=word) | Q(description__icontains=word))
    if "waiting" in request.GET and not found:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    part = "pathway_viz/_dashboards.html" if is_htmx(request) else "pathway_viz/dashboards.html"
    return render(request, part, context(dashboards=found, words=words))


@require_safe
def dashboard(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One dashboard, live."""
    if not Dashboard.objects.filter(slug=slug).exists():
        catalogue.carry_over(catalogue.MISSED_EVERY_S)
    found = get_object_or_404(Dashboard, slug=slug)
    if not access.may_view(request.user, found):
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())
    return render(request, "pathway_viz/dashboard.html", dashboard_context(found))


def dashboard_context(found: Dashboard) -> dict[str, Any]:
    """What ``_dashboard.html`` needs."""
    return context(dashboard=found, widgets=found.widgets.all())


def context(**more: Any) -> dict[str, Any]:
    """What every page of the app needs, and ``more``."""
    told = settings()
    return {"base_template": told.base_template, "socket_path": f"/{told.websocket_path}", **more}


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asked, so that a part of the page is wanted."""
    return bool(request.headers.get("HX-Request"))
