"""Messages to viewers: encoded once, the same bytes for everyone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from pathway_viz import wire
from pathway_viz.wire import Position

_TEXT: Final = 0x81  # FIN and opcode 1, RFC 6455 section 5.2
NOWHERE: Final[Mapping[str, Position]] = {}


class Message:
    """One WebSocket text message, shared by all who get it.

    ``positions`` is where each topic stands for a viewer that has taken it; ``at`` is when it was
    made (``time.monotonic``).
    """

    def __init__(
        self, envelopes: Iterable[bytes], positions: Mapping[str, Position] = NOWHERE
    ) -> None:
        self.payload = wire.join(envelopes)
        self.size = len(self.payload)
        self.positions = positions
        self.at = time.monotonic()

    @cached_property
    def text(self) -> str:
        """As ASGI wants it."""
        return self.payload.decode()

    @cached_property
    def frame(self) -> bytes:
        """As it goes over the wire: a server's frame is not masked, so it is the same for all."""
        return _header(self.size) + self.payload


def status(**what: Any) -> Message:
    """A `status` of the node's clock, and of ``what`` (the fields of `pathway_viz.wire.Status`)."""
    return Message([wire.encode(wire.Status(now=int(time.time() * 1000), **what))])


def _header(size: int) -> bytes:
    """The header of an unmasked text frame (RFC 6455, section 5.2)."""
    if size < 126:  # noqa: PLR2004
        return bytes((_TEXT, size))
    if size < 1 << 16:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big")
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big")
