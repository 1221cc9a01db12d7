"""uvicorn's WebSocket protocol with a short cut: ``--ws pathway_viz.web.uvicorn_protocol:Frames``.

A message that hundreds of viewers get is encoded once; the short cut copies it to each transport
without ASGI's dictionaries, events and task switches. Everything else is uvicorn's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pathway_viz.web.links import EXTENSION, Write
from pathway_viz.web.message import Message


class Frames(WebSocketsSansIOProtocol):
    """Offers itself as a `pathway_viz.web.links.Link`, unless deflate is on."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._ready: Callable[[], None] | None = None
        self._ended: Callable[[], None] | None = None
        self._hear: Callable[[str], None] | None = None
        self._full = False

    def handle_connect(self, event: Any) -> None:
        """Offer the short cut to the application."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None and not self.conn.extensions:
            scope["extensions"][EXTENSION] = self

    def write(self, message: Message) -> bool:
        """Copy a message's frame to the transport; False while its buffer is full."""
        if self._full:
            return False
        if not (self.close_sent or self.disconnected):
            self.transport.write(message.frame)
        return True

    def direct(self, ended: Callable[[], None]) -> Write | None:
        """Write to the transport itself, until its buffer is full or the connection ends."""
        if self._full or self.close_sent or self.disconnected:
            return None
        self._ended = ended
        return self.transport.write

    def _end_direct(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def on_ready(self, call: Callable[[], None]) -> None:
        """Call this when the transport's buffer has room again."""
        self._ready = call

    def on_text(self, call: Callable[[str], None]) -> None:
        """Call this with every text that comes in, instead of queueing it for ``receive``."""
        self._hear = call

    async def goodbye(self, code: int) -> None:
        """Close, as uvicorn does it."""
        self._end_direct()
        await self.send({"type": "websocket.close", "code": code, "reason": ""})

    def close(self) -> None:
        """Let go of the viewer."""
        self._ready = self._hear = self._ended = None

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._full = True
        super().pause_writing()
        self._end_direct()

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""
        self._full = False
        super().resume_writing()
        if self._ready is not None:
            self._ready()

    def send_receive_event_to_app(self) -> None:
        """Give a text to whoever listens, at once; anything else goes the usual way."""
        if self._hear is None or self.curr_msg_data_type != "text" or self.close_sent:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            super().send_receive_event_to_app()
            return
        self.frames = []
        self._hear(text)
