"""A raw ASGI broadcast: every viewer gets the same text, one ``await send`` each."""

from __future__ import annotations

import asyncio
import os
from typing import Any

TEXT = "x" * int(os.environ.get("BENCH_BYTES", "512"))
HZ = float(os.environ.get("BENCH_HZ", "10"))
_viewers: set[Any] = set()
_tasks: set[asyncio.Task[None]] = set()


async def _broadcast() -> None:
    loop = asyncio.get_running_loop()
    following = loop.time()
    while True:
        following += 1 / HZ
        for send in list(_viewers):
            await send({"type": "websocket.send", "text": TEXT})
        await asyncio.sleep(max(0.0, following - loop.time()))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Accept, join, and read until the viewer goes."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    if not _tasks and HZ:
        _tasks.add(asyncio.ensure_future(_broadcast()))
    _viewers.add(send)
    try:
        while (await receive())["type"] == "websocket.receive":
            pass
    finally:
        _viewers.discard(send)
