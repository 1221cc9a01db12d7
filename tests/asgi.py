"""The ASGI application of the test site, served by daphne and uvicorn in subprocesses."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from pathway_viz.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket_application()})
