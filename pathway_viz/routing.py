"""The viewer's WebSocket, for the site's ASGI application."""

from __future__ import annotations

from typing import Any, Final

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from pathway_viz.conf import settings
from pathway_viz.web.links import OfferLink
from pathway_viz.web.socket import viewer_socket

#: Routes for a Channels ``URLRouter``; they need ``AuthMiddlewareStack`` around them.
websocket_urlpatterns = [path(settings().websocket_path, viewer_socket)]  # type: ignore[arg-type]


NOBODY: Final = AnonymousUser()


class SignedIn:
    """Channels' AuthMiddlewareStack, but only for who brings a session.

    It asks for the user in a thread even where there is nobody to ask for, which costs a viewer
    that joins as much as all the rest. Who has no session cookie is nobody.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._stack = AuthMiddlewareStack(application)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        cookie = f"{django_settings.SESSION_COOKIE_NAME}=".encode()
        if any(name == b"cookie" and cookie in value for name, value in scope["headers"]):
            await self._stack(scope, receive, send)
        else:
            scope.update(user=NOBODY, session=None)  # a copy would cost every viewer a kilobyte
            await self._application(scope, receive, send)


def websocket_application() -> Any:
    """The whole ``websocket`` side of an ASGI application: Origin check, sign-in, routes.

    Use it where a site has no other WebSockets::

        application = ProtocolTypeRouter({
            "http": get_asgi_application(),
            "websocket": websocket_application(),
        })

    Pages of the origins in ALLOWED_ORIGINS may connect; if it is empty, those of ALLOWED_HOSTS.
    """
    routes = SignedIn(URLRouter(websocket_urlpatterns))
    if settings().allowed_origins:
        return OfferLink(OriginValidator(routes, list(settings().allowed_origins)))
    return OfferLink(AllowedHostsOriginValidator(routes))
