"""What load balancers ask: whether the process lives, and whether viewers may be sent to it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pathway_viz.web import draining


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Whether viewers may be sent here: not once the process was told to end.

    A Redis that is away changes nothing: every node would say no, and pages would show nothing
    instead of saying that what they show is stale.
    """
    if draining.is_begun():
        return HttpResponse("draining\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
