"""The ASGI application of the script mode, static files included."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pathway_viz.standalone.settings")
http = ASGIStaticFilesHandler(get_asgi_application())

from pathway_viz.routing import websocket_application  # noqa: E402 - Django must be ready

application = ProtocolTypeRouter({"http": http, "websocket": websocket_application()})
