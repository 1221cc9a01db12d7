"""The viewer's WebSocket: plain ASGI, since a consumer costs every message a thread hop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final

from pathway_viz import wire
from pathway_viz.cancelling import cancel
from pathway_viz.conf import settings
from pathway_viz.errors import ProtocolError
from pathway_viz.web.links import link_for
from pathway_viz.web.node import Node
from pathway_viz.web.session import Session, State
from pathway_viz.web.viewer import Viewer
from pathway_viz.wire import CloseCode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GOODBYE_S: Final = 2.0
logger = logging.getLogger("pathway_viz.web")


async def viewer_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one viewer: ASGI's ``websocket`` scope, with ``user`` and ``session`` in it."""
    await ViewerSocket(scope, receive, send).run()


class ViewerSocket:
    """One connection: reads what the browser says; what it is sent goes through its outbox."""

    __slots__ = (
        *("_closing", "_late", "_link", "_node", "_receive", "_send"),
        *("_session", "_settings", "_viewer", "_work"),
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._settings = settings()
        self._receive, self._send = receive, send
        self._session = Session(self._settings.messages_per_s, time.monotonic())
        self._closing: CloseCode | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._node: Node | None = None
        self._late: asyncio.TimerHandle | None = None
        self._link = link_for(scope, send)
        self._viewer = Viewer(
            link=self._link,
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
            self._close(CloseCode.TOO_MANY)
        else:
            self._late = asyncio.get_running_loop().call_later(
                self._settings.hello_timeout_s, self._expect_hello
            )
        try:
            await self._read()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._session.state = State.CLOSED
        if self._late is not None:
            self._late.cancel()
        self._link.close()
        await cancel(self._work)
        if self._node is not None:
            await self._node.leave(self._viewer)

    # ------------------------------------------------------------ what the browser says

    async def _read(self) -> None:
        """Read until the socket is closed; where the server can, it calls `_hear` by itself."""
        self._link.on_text(self._hear_safely)
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                self._refuse(CloseCode.PROTOCOL, "Expected a text message, but got a binary one.")
            else:
                self._hear_safely(text)

    def _hear_safely(self, text: str) -> None:
        if self._closing is not None or self._node is None:
            return
        try:
            self._hear(text, self._node)
        except ProtocolError as error:
            self._refuse(CloseCode.PROTOCOL, str(error))

    def _hear(self, text: str, node: Node) -> None:
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
                self._do(said, node)

    def _do(self, said: wire.ClientMessage, node: Node) -> None:
        if isinstance(said, wire.Ack):
            if self._viewer.outbox.acknowledge(said.messages):
                self._in_background(node.rejoin(self._viewer))
        elif isinstance(said, wire.Hello):
            for position in said.positions.values():
                wire.Position.parse(position)
            self._in_background(node.watch(self._viewer, said))
        else:
            self._in_background(node.history(self._viewer, said))

    def _expect_hello(self) -> None:
        if self._session.state is State.GREETING:
            self._refuse(CloseCode.PROTOCOL, "Expected hello, but nothing came.")

    # ------------------------------------------------------------ work and the end

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("A viewer could not be answered.", exc_info=task.exception())
            self._close(CloseCode.DRAINING)

    def _refuse(self, code: CloseCode, text: str) -> None:
        if self._closing is None:
            self._viewer.say(wire.encode(wire.Error(code=code, text=text)))
            self._close(code)

    def _close(self, code: CloseCode) -> None:
        if self._closing is None:
            self._closing = code
            self._session.state = State.CLOSED
            self._in_background(self._say_goodbye(code))

    async def _say_goodbye(self, code: CloseCode) -> None:
        """Write what waits (the reason, most of all), but do not wait long for it; then close."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._viewer.outbox.drained()
        with contextlib.suppress(OSError):
            await self._link.goodbye(int(code))
