"""The ASGI application of the test site, served by daphne and uvicorn in subprocesses."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
http = get_asgi_application()
if os.environ.get("PATHWAYVIZ_TEST_STATIC"):
    http = ASGIStaticFilesHandler(http)

from channels.routing import ProtocolTypeRouter  # noqa: E402

from pathway_viz.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket_application()})
