"""The viewer's WebSocket: plain ASGI, since a consumer costs every message a thread hop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pathway_viz import wire
from pathway_viz.conf import settings
from pathway_viz.errors import ProtocolError
from pathway_viz.web.node import Node
from pathway_viz.web.session import Session, State
from pathway_viz.web.viewer import Viewer
from pathway_viz.wire import CloseCode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GOODBYE_S = 2.0
logger = logging.getLogger("pathway_viz.web")


async def viewer_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one viewer: ASGI's ``websocket`` scope, with ``user`` and ``session`` in it."""
    await ViewerSocket(scope, receive, send).run()


class ViewerSocket:
    """One connection: reads what the browser says, writes what the hub has for it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._settings = settings()
        self._receive, self._send = receive, send
        self._session = Session(self._settings.messages_per_s, time.monotonic())
        self._closing: asyncio.Future[CloseCode] = asyncio.get_running_loop().create_future()
        self._work: set[asyncio.Task[None]] = set()
        self._viewer = Viewer(
            write=self._write,
            close=self._close,
            outbox_bytes=self._settings.outbox_bytes,
            user=scope["user"],
            session_key=getattr(scope.get("session"), "session_key", None),
        )

    async def run(self) -> None:
        """Serve until either side closes."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        await self._send({"type": "websocket.accept"})
        self._node = await Node.enter(self._viewer)
        if self._node is None:
            await self._end(CloseCode.TOO_MANY)
            return
        try:
            await self._serve()
        finally:
            for task in self._work:
                task.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)
            await self._node.leave(self._viewer)

    async def _serve(self) -> None:
        writing = self._start(self._viewer.outbox.drain_for_ever())
        reading = self._start(self._read())
        late = asyncio.get_running_loop().call_later(
            self._settings.hello_timeout_s, self._expect_hello
        )
        ends: set[asyncio.Future[Any]] = {writing, reading, self._closing}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        late.cancel()
        if self._closing.done():
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)
            await self._say_goodbye()
            await self._end(self._closing.result())
            await self._drain()

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._work.add(task)
        return task

    def _expect_hello(self) -> None:
        if self._session.state is State.GREETING:
            self._refuse(CloseCode.PROTOCOL, "Expected hello, but nothing came.")

    async def _read(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            try:
                self._hear(message)
            except ProtocolError as error:
                self._refuse(CloseCode.PROTOCOL, str(error))
                return
        self._session.state = State.CLOSED

    def _hear(self, message: Message) -> None:
        if self._closing.done():
            return
        text = message.get("text")
        if text is None:
            raise ProtocolError("Expected a text message, but got a binary one.")
        if len(text) > self._settings.message_bytes:
            self._refuse(
                CloseCode.TOO_LARGE, f"A message may hold {self._settings.message_bytes} bytes."
            )
        elif not self._session.may_speak(time.monotonic()):
            self._refuse(
                CloseCode.TOO_MANY, f"At most {self._settings.messages_per_s} messages a second."
            )
        else:
            for said in wire.decode_client(text):
                self._session.hear(said)
                self._do(said)

    def _do(self, said: wire.ClientMessage) -> None:
        node = self._node
        if node is None:
            return
        if isinstance(said, wire.Ack):
            if self._viewer.outbox.acknowledge(said.messages):
                self._in_background(node.rejoin(self._viewer))
        elif isinstance(said, wire.Hello):
            for position in said.positions.values():
                wire.Position.parse(position)
            self._in_background(node.watch(self._viewer, said))
        else:
            self._in_background(node.history(self._viewer, said))

    def _in_background(self, work: Any) -> None:
        task = self._start(work)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("A viewer could not be answered.", exc_info=task.exception())
            self._close(CloseCode.DRAINING)

    def _refuse(self, code: CloseCode, text: str) -> None:
        self._viewer.say(wire.encode(wire.Error(code=code, text=text)))
        self._close(code)

    def _close(self, code: CloseCode) -> None:
        if not self._closing.done():
            self._session.state = State.CLOSED
            self._closing.set_result(code)

    async def _write(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _say_goodbye(self) -> None:
        """Write what waits (the reason, most of all), but do not wait long for it."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_GOODBYE_S):
                for text in self._viewer.outbox.take_all():
                    await self._write(text)

    async def _drain(self) -> None:
        """Read what the browser had on its way, or the server never sees it close too."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                while (await self._receive())["type"] == "websocket.receive":
                    pass

    async def _end(self, code: CloseCode) -> None:
        await self._send({"type": "websocket.close", "code": int(code)})
