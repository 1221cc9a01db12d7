"""Links: the two ways in which a message leaves for a viewer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any, Final, Protocol

from pathway_viz.web.message import Message

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION: Final = "pathway_viz.frames"


class Link(Protocol):
    """Writes messages, and says when it cannot take more just now."""

    def write(self, message: Message) -> bool:
        """Take a message; False if that must wait until ``on_ready`` is called."""
        ...

    def on_ready(self, call: Callable[[], None]) -> None:
        """Call this whenever messages may be written again."""
        ...

    def close(self) -> None:
        """Write no more."""
        ...


class FrameWriter(Protocol):
    """What a server may offer in ``scope["extensions"]["pathway_viz.frames"]``.

    ``write_frame`` puts an encoded WebSocket frame straight on the transport, and gives False when
    the transport is full; ``ready`` is called when it is not any more, ``hear`` with every text
    message that comes in.
    """

    ready: Callable[[], None] | None
    hear: Callable[[str], None] | None

    def write_frame(self, frame: bytes) -> bool:
        """Write one encoded frame."""
        ...


class FrameLink:
    """Copies the encoded frame to the server's transport."""

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer

    def write(self, message: Message) -> bool:
        """Copy the frame."""
        return self._writer.write_frame(message.frame)

    def on_ready(self, call: Callable[[], None]) -> None:
        """Be told when the transport has room again."""
        self._writer.ready = call

    def on_text(self, call: Callable[[str], None]) -> None:
        """Be told at once what comes in."""
        self._writer.hear = call

    def close(self) -> None:
        """Let go of the server's side."""
        self._writer.ready = self._writer.hear = None


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

    def on_ready(self, call: Callable[[], None]) -> None:
        """Be told when a send that waited is through."""
        self._ready = call

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
    """The cheapest link that the server offers."""
    writer = scope.get("extensions", {}).get(EXTENSION)
    return FrameLink(writer) if writer is not None else AsgiLink(send)
