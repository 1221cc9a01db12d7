"""Thousands of viewers in one loop, which come back as a page would: with their positions."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import websockets

from pathway_viz.wire import Position

AT_ONCE = 100  # handshakes under way


class Crowd:
    """``count`` viewers of the feeder's dashboard behind one address."""

    def __init__(self, port: int, count: int) -> None:
        self._url = f"ws://127.0.0.1:{port}/pathway_viz/ws/"
        self._origin = f"http://127.0.0.1:{port}"
        self._handshakes = asyncio.Semaphore(AT_ONCE)
        self.current: dict[int, int] = {}
        self.codes: set[int | None] = set()
        self.holes = 0
        self._watching: set[int] = set()
        self._tasks = [asyncio.create_task(self._live(number)) for number in range(count)]

    async def gather(self, timeout: float) -> None:
        """Wait until everyone watches and has heard something since now."""
        self.current.clear()
        async with asyncio.timeout(timeout):
            while len(self.current) < len(self._tasks):
                await asyncio.sleep(0.1)

    async def until_at(self, event: int, timeout: float) -> None:
        """Wait until everyone has seen ``event``, the last one."""
        async with asyncio.timeout(timeout):
            while any(self.current.get(n) != event for n in range(len(self._tasks))):
                await asyncio.sleep(0.1)

    async def leave(self) -> None:
        """All go away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, number: int) -> None:
        positions: dict[str, str] = {}
        while True:
            with suppress(OSError, TimeoutError, websockets.WebSocketException):
                await self._watch(number, positions)
            await asyncio.sleep(random.uniform(0, 1))

    async def _watch(self, number: int, positions: dict[str, str]) -> None:
        async with self._handshakes:
            link = await websockets.connect(
                self._url,
                origin=self._origin,
                compression=None,
                open_timeout=20,
                ping_interval=None,
            )
        try:
            hello = {"versions": [1], "dashboards": ["shop"], "positions": positions}
            await link.send(envelope("hello", hello))
            messages = 0
            async for text in link:
                messages += 1
                self._take(number, json.loads(text), positions)
                if messages % 20 == 0:
                    await link.send(envelope("ack", {"messages": messages}))
        finally:
            self.codes |= {link.close_code} - {None}
            await link.close()

    def _take(
        self, number: int, envelopes: list[dict[str, Any]], positions: dict[str, str]
    ) -> None:
        for one in envelopes:
            frame = one["payload"]
            if one["type"] == "update":
                have, new = (
                    Position.parse(positions[frame["topic"]]),
                    Position.parse(frame["position"]),
                )
                self.holes += not new.follows(have)
            if one["type"] in ("update", "snapshot"):
                positions[frame["topic"]] = frame["position"]
                if frame["topic"] == "events":
                    rows = frame.get("rows") or frame["batches"][-1][1]
                    self.current[number] = rows[-1][0]


def envelope(kind: str, payload: object) -> str:
    """One message of one envelope."""
    return json.dumps([{"version": 1, "type": kind, "payload": payload}])
