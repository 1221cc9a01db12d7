"""Links: the ways in which a message leaves for a viewer, the cheapest that its server has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from functools import partial
from typing import Any, Final, Protocol

from pathway_viz.web.message import Message

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Write = Callable[[bytes], object]

EXTENSION: Final = "pathway_viz.link"


class Link(Protocol):
    """Writes messages, and says when it cannot take more just now."""

    def write(self, message: Message) -> bool:
        """Take a message; False if that must wait until ``on_ready`` is called."""
        ...

    def direct(self, ended: Callable[[], None]) -> Write | None:
        """Give a way to write frames without asking, until ``ended`` is called; None: ask."""
        ...

    def on_ready(self, call: Callable[[], None]) -> None:
        """Call this whenever messages may be written again."""
        ...

    def on_text(self, call: Callable[[str], None]) -> None:
        """Call this with every text that comes in, if that is cheaper than ``receive``."""
        ...

    async def goodbye(self, code: int) -> None:
        """Close the connection with a code."""
        ...

    def close(self) -> None:
        """Write no more."""
        ...


class DaphneLink:
    """daphne: the frame goes to the connection's socket, as long as Twisted has nothing queued.

    Twisted writes in a later turn of its reactor, after two changes to epoll; that costs more than
    everything else a delivery needs. What the socket does not take at once is left to Twisted.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._open = True

    def write(self, message: Message) -> bool:
        """Send it, if the connection is open; daphne itself buffers without a bound."""
        protocol = self._protocol
        if self._open and protocol.state == protocol.STATE_OPEN and not protocol.muted:
            transport, frame = protocol.transport, message.frame
            queued = transport.dataBuffer or transport._tempDataBuffer or protocol.send_queue  # noqa: SLF001
            if not queued:
                with contextlib.suppress(OSError):  # Twisted finds out too
                    frame = frame[transport.socket.send(frame) :]
            if frame:
                transport.write(frame)
        return True

    def direct(self, ended: Callable[[], None]) -> Write | None:
        """It must be asked whether Twisted has something queued."""

    def on_ready(self, call: Callable[[], None]) -> None:
        """It is always ready."""

    def on_text(self, call: Callable[[str], None]) -> None:
        """Texts come with ``receive``."""

    async def goodbye(self, code: int) -> None:
        """Close with any code; autobahn lets an application close with few (and not with 1012)."""
        self._protocol.sendCloseFrame(code=code)

    def close(self) -> None:
        """Let go of the protocol; nothing is written any more."""
        self._open = False

    @staticmethod
    def fits(protocol: Any) -> bool:
        """Whether this is a daphne connection that can be written to so: no TLS, no compression."""
        transport = getattr(protocol, "transport", None)
        parts = ("socket", "dataBuffer", "_tempDataBuffer")
        known = all(hasattr(transport, part) for part in parts) and hasattr(protocol, "muted")
        return known and not getattr(transport, "TLS", True)


class AsgiLink:
    """Sends with ASGI's ``send``, one message after the other.

    Most servers only store what they are given, so ``send`` is run where it is called; a task is
    made only for one that waits.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: asyncio.Task[None] | None = None
        self._ready: Callable[[], None] = lambda: None

    def write(self, message: Message) -> bool:
        """Begin to send, unless an earlier message is still being sent."""
        if self._waiting is not None:
            return False
        sending: Any = self._send({"type": "websocket.send", "text": message.text})
        try:
            step = sending.send(None)
        except StopIteration:
            return True
        except Exception:  # noqa: BLE001 - the viewer is gone, which the reading side is told too
            return True
        self._waiting = asyncio.ensure_future(_rest(sending, step))
        self._waiting.add_done_callback(self._done)
        return True

    def direct(self, ended: Callable[[], None]) -> Write | None:
        """A send may wait."""

    def on_ready(self, call: Callable[[], None]) -> None:
        """Be told when a send that waited is through."""
        self._ready = call

    def on_text(self, call: Callable[[str], None]) -> None:
        """Texts come with ``receive``."""

    async def goodbye(self, code: int) -> None:
        """Close, as ASGI has it."""
        await self._send({"type": "websocket.close", "code": code})

    def close(self) -> None:
        """Send no more."""
        if self._waiting is not None:
            self._waiting.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # the viewer is gone, which the reading side is told too
        self._waiting = None
        self._ready()


async def _rest(started: Coroutine[Any, Any, None], step: Any) -> None:
    await _Started(started, step)


class _Started:
    """Awaits a coroutine whose first step was taken already and gave ``step`` to wait for."""

    def __init__(self, started: Coroutine[Any, Any, None], step: Any) -> None:
        self._started, self._step = started, step

    def __await__(self) -> Generator[Any, Any, None]:
        step = self._step
        while True:
            try:
                sent = yield step
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                thrown: BaseException | None = error
            else:
                thrown = None
            try:
                step = self._started.throw(thrown) if thrown else self._started.send(sent)
            except StopIteration:
                return


def link_for(scope: Scope, send: Send) -> Link:
    """The cheapest link: what the server offers in ``scope["extensions"]``, or ASGI's."""
    return scope.get("extensions", {}).get(EXTENSION) or AsgiLink(send)


class OfferLink:
    """Middleware, outermost: offers a direct link where daphne serves.

    daphne has no place where a server offers something to an application, but the ``send`` that it
    gives to one is a partial of the connection's protocol. Middleware wraps that; so this looks
    before any other does.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Serve one connection."""
        protocol = send.args[0] if isinstance(send, partial) and send.args else None
        if DaphneLink.fits(protocol):
            offers = {**scope.get("extensions", {}), EXTENSION: DaphneLink(protocol)}
            scope = {**scope, "extensions": offers}
        await self._application(scope, receive, send)
