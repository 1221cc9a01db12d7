"""The deployment's ASGI application, for uvicorn, daphne or any other server."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402 - Django must be ready

from pathway_viz.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket_application()})
