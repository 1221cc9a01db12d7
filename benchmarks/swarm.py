"""A swarm of viewers on raw sockets: cheap enough that two cores can hold thousands of them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable

_MASKED, _TEXT, _MIDDLE, _LONG = 0x80, 0x81, 126, 127


def masked(text: bytes) -> bytes:
    """A client's text frame (masked with zeros, so that nothing need be computed)."""
    size = len(text)
    if size < _MIDDLE:
        head = bytes((_TEXT, _MASKED | size))
    else:
        head = bytes((_TEXT, _MASKED | _MIDDLE)) + struct.pack(">H", size)
    return head + b"\0\0\0\0" + text


def envelope(kind: str, payload: object) -> bytes:
    """One message of one envelope, as a frame."""
    return masked(json.dumps([{"version": 1, "type": kind, "payload": payload}]).encode())


class Member:
    """One viewer: counts the messages that come, and remembers the last one's end."""

    __slots__ = ("acked", "buffer", "bytes", "greeted", "messages", "paused", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0)
        self.buffer = b""
        self.messages = self.acked = self.bytes = 0
        self.greeted = self.paused = False

    def upgrade(self, path: str, port: int) -> None:
        """Ask for a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.send(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def read(self, on_message: Callable[[Member, bytes], None] | None) -> bool:
        """Take what has come; False when the server has closed."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self.bytes += len(data)
        self.buffer += data
        if not self.greeted:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return True
            if b" 101 " not in head[:20]:
                return False
            self.greeted, self.buffer = True, rest
        self._split(on_message)
        return True

    def _split(self, on_message: Callable[[Member, bytes], None] | None) -> None:
        held, at = self.buffer, 0
        while len(held) - at >= 2:
            size, start = held[at + 1] & 127, at + 2
            if size == _MIDDLE:
                if len(held) < at + 4:
                    break
                size, start = int.from_bytes(held[at + 2 : at + 4], "big"), at + 4
            elif size == _LONG:
                if len(held) < at + 10:
                    break
                size, start = int.from_bytes(held[at + 2 : at + 10], "big"), at + 10
            if len(held) < start + size:
                break
            if held[at] == _TEXT:
                self.messages += 1
                if on_message is not None:
                    on_message(self, held[start : start + size])
            at = start + size
        self.buffer = held[at:]


class Swarm:
    """Many viewers of one server, in one loop."""

    def __init__(
        self,
        port: int,
        count: int,
        *,
        path: str = "/pathway_viz/ws/",
        hello: object = None,
        on_message: Callable[[Member, bytes], None] | None = None,
        batch: int = 100,
        bare: bool = False,
        ack_s: float = 1.0,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._on_message = on_message
        self._ack_s = ack_s if hello is not None else 0.0
        self._next_ack = time.monotonic() + ack_s
        self.closed = 0
        self.members: list[Member] = []
        for first in range(0, count, batch):
            came = [Member(port) for _ in range(min(batch, count - first))]
            for member in came:
                member.greeted = bare
                if not bare:
                    member.upgrade(path, port)
                self._selector.register(member.socket, selectors.EVENT_READ, member)
            self.members += came
            if not bare:
                self.until(lambda came=came: all(m.greeted for m in came))
            if hello is not None:
                for member in came:
                    member.socket.send(envelope("hello", hello))

    def run(self, seconds: float) -> None:
        """Read, and acknowledge, for so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + 5)

    def until(self, true: Callable[[], bool], timeout: float = 60) -> None:
        """Read, and acknowledge, until it is true."""
        deadline = time.monotonic() + timeout
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError
            for key, _ in self._selector.select(0.02):
                member: Member = key.data
                if not member.read(self._on_message):
                    self.closed += 1
                    self._selector.unregister(member.socket)
            if self._ack_s and time.monotonic() > self._next_ack:
                self._acknowledge()

    def _acknowledge(self) -> None:
        self._next_ack = time.monotonic() + self._ack_s
        for member in self.members:
            if member.messages != member.acked and not member.paused:
                member.acked = member.messages
                with contextlib.suppress(OSError):
                    member.socket.send(envelope("ack", {"messages": member.messages}))

    def pause(self, members: list[Member]) -> None:
        """These read nothing any more."""
        for member in members:
            member.paused = True
            self._selector.unregister(member.socket)

    @property
    def messages(self) -> int:
        """All messages that came."""
        return sum(member.messages for member in self.members)

    def close(self) -> None:
        """Go away, all at once."""
        for member in self.members:
            member.socket.close()
        self._selector.close()
