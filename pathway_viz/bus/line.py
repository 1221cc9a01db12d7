"""A connection to Redis that calls for every reply, instead of a task that waits for one.

redis-py makes the connection (address, TLS, password); what comes after that is read here: to wake
a task for each message cost a node twice as much CPU.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

import hiredis
import redis
from redis.asyncio.connection import AbstractConnection


class Line(asyncio.Protocol):
    """Takes over a connection that stands. ``heard`` gets all replies that came at once.

    ``lost`` is done when the connection is: with its error, or None if the server closed it.
    """

    def __init__(self, connection: AbstractConnection, heard: Callable[[list[Any]], None]) -> None:
        writer: Any = connection._writer  # noqa: SLF001 - redis-py offers no other way to it
        if writer is None or writer.transport.is_closing():
            raise redis.ConnectionError("Connection closed by server.")
        self._connection = connection
        self._transport: asyncio.Transport = writer.transport
        self._heard = heard
        self._reader = hiredis.Reader()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._transport.set_protocol(self)

    @classmethod
    async def to(cls, pool: Any, heard: Callable[[list[Any]], None]) -> Self:
        """Make a connection as ``pool`` would, and take it over."""
        connection = pool.make_connection()
        try:
            await connection.connect()
            return cls(connection, heard)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    def say(self, *command: str) -> None:
        """Send a command; its reply comes with the others."""
        self._transport.write(b"".join(self._connection.pack_command(*command)))

    async def close(self) -> None:
        """Close the connection, at once."""
        self._transport.abort()
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        """Bytes came: give every reply that is complete."""
        self._reader.feed(data)
        replies: list[Any] = []
        while (reply := self._reader.gets()) is not False:
            if isinstance(reply, Exception):  # Redis refuses something
                self.connection_lost(reply)
                self._transport.abort()
            else:
                replies.append(reply)
        if replies:
            self._heard(replies)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if not self.lost.done():
            self.lost.set_result(error)
