"""The viewer's WebSocket, for the site's ASGI application."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from django.urls import path

from pathway_viz.conf import settings
from pathway_viz.web.links import OfferLink
from pathway_viz.web.socket import viewer_socket

#: Routes for a Channels ``URLRouter``; they need ``AuthMiddlewareStack`` around them.
websocket_urlpatterns = [path(settings().websocket_path, viewer_socket)]  # type: ignore[arg-type]


def websocket_application() -> Any:
    """The whole ``websocket`` side of an ASGI application: Origin check, sign-in, routes.

    Use it where a site has no other WebSockets::

        application = ProtocolTypeRouter({
            "http": get_asgi_application(),
            "websocket": websocket_application(),
        })

    Pages of the origins in ALLOWED_ORIGINS may connect; if it is empty, those of ALLOWED_HOSTS.
    """
    routes = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    if settings().allowed_origins:
        return OfferLink(OriginValidator(routes, list(settings().allowed_origins)))
    return OfferLink(AllowedHostsOriginValidator(routes))
