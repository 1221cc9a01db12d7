"""The ASGI application of the test site, served by daphne and uvicorn in subprocesses."""

import asyncio
import ctypes
import gc
import json
import os
import threading
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django = get_asgi_application()
if os.environ.get("PATHWAYVIZ_TEST_STATIC"):
    django = ASGIStaticFilesHandler(django)

from channels.routing import ProtocolTypeRouter  # noqa: E402

from pathway_viz.routing import websocket_application  # noqa: E402
from pathway_viz.web.node import Node  # noqa: E402


async def http(scope: Any, receive: Any, send: Any) -> None:
    """The site, and a census of the process that tests compare before and after."""
    if scope["path"] != "/-/census":
        await django(scope, receive, send)
        return
    body = json.dumps(census()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def census() -> dict[str, Any]:
    """What this process holds."""
    node = Node._nodes.get(asyncio.get_running_loop())
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed is not held
    with Path("/proc/self/statm").open() as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "resident": resident,
        "viewers": len(node.hub.viewers) if node else 0,
        "topics": sorted(node.hub.watched) if node else [],
        "audiences": len(node.hub.audiences()) if node else 0,
    }


application = ProtocolTypeRouter({"http": http, "websocket": websocket_application()})
