"""The listening end of the bus: one subscription for a whole web node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections import deque
from typing import Any, Final

import msgspec
import redis
from redis.asyncio.connection import AbstractConnection

from pathway_viz.bus.connect import connect_async
from pathway_viz.bus.types import BusOptions, Frame, LinkLost, News, Seal
from pathway_viz.cancelling import cancel
from pathway_viz.topics import Keys
from pathway_viz.wire import Position

Event = Frame | Seal | LinkLost | News

PING_EVERY_S: Final = 2.0
DEAD_AFTER_S: Final = 5.0
MAX_WAITING: Final = 20_000  # events; beyond, all are dropped and LinkLost says so
MAX_WAITING_BYTES: Final = 64_000_000
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_positions: Final = msgspec.json.Decoder(dict[str, str])

logger = logging.getLogger("pathway_viz.bus")


class Subscriber:
    """Listens to topics, seals and news over one connection, made again whenever it breaks.

    After every interruption the events begin with `LinkLost`: frames may be missing, and the log
    has them. A dead link looks like silence, so the subscription itself is pinged: it is given up
    after at most PING_EVERY_S + DEAD_AFTER_S seconds.
    """

    def __init__(self, options: BusOptions) -> None:
        self._keys = Keys(options.prefix)
        self._client = connect_async(options.url)
        self._channels = {self._keys.news}
        self._waiting: deque[Event] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        self._asked: deque[asyncio.Future[None]] = deque()  # in the order of the answers
        self._link: AbstractConnection | None = None
        self._heard = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether the subscription stands."""
        return self._link is not None

    async def start(self) -> None:
        """Begin to listen; the connection is made, and made again, in the background."""
        for work in (self._listen_for_ever(), self._watch_the_link()):
            task = asyncio.create_task(work)
            self._tasks.add(task)

    async def close(self) -> None:
        """Stop listening and close the connection."""
        await cancel(self._tasks)
        self._tasks.clear()
        await self._client.aclose()

    async def events(self) -> list[Event]:
        """Wait for at least one event and give all that have come, in order."""
        await self._arrived.wait()
        self._arrived.clear()
        events = list(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        return events

    async def subscribe(self, topic: str) -> None:
        """Listen to ``topic``; returns when the server has confirmed it.

        Without a connection it returns at once: the topic is subscribed as soon as there is one,
        and LinkLost follows.
        """
        await self._follow(self._keys.channel(topic))

    async def unsubscribe(self, topic: str) -> None:
        """Listen to ``topic`` no more."""
        await self._unfollow(self._keys.channel(topic))

    async def subscribe_seals(self, worker: str) -> None:
        """Learn when a flush of ``worker`` is complete."""
        await self._follow(self._keys.seal(worker))

    async def unsubscribe_seals(self, worker: str) -> None:
        """Learn of flushes of ``worker`` no more."""
        await self._unfollow(self._keys.seal(worker))

    async def _follow(self, channel: str) -> None:
        self._channels.add(channel)
        if self._link is None:
            return
        confirmed = self._confirmed.get(channel)
        if confirmed is None:
            confirmed = asyncio.get_running_loop().create_future()
            self._confirmed[channel] = confirmed
            self._asked.append(confirmed)
            await self._say(self._link, "SUBSCRIBE", channel)
        await asyncio.shield(confirmed)

    async def _unfollow(self, channel: str) -> None:
        self._channels.discard(channel)
        self._confirmed.pop(channel, None)  # whoever asks again must say it again
        if self._link is not None:
            await self._say(self._link, "UNSUBSCRIBE", channel)

    @staticmethod
    async def _say(link: AbstractConnection, *command: Any) -> None:
        with contextlib.suppress(redis.RedisError, OSError):  # the listening task finds out too
            await link.send_command(*command)

    async def _listen_for_ever(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(DEAD_AFTER_S):
                    link, said = await self._connect()
            except (redis.RedisError, OSError, TimeoutError):
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                await self._listen(link, said)
                pause = _FIRST_PAUSE_S
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _connect(self) -> tuple[Any, set[str]]:
        pool: Any = self._client.connection_pool
        link: Any = pool.make_connection()
        try:
            await link.connect()
            return link, await self._subscribe_all(link)
        except BaseException:
            await link.disconnect(nowait=True)
            raise

    async def _subscribe_all(self, link: AbstractConnection) -> set[str]:
        """Subscribe to every channel, also those that are added meanwhile."""
        said: set[str] = set()
        while late := self._channels - said:
            await link.send_command("SUBSCRIBE", *late)
            confirmed = 0
            while confirmed < len(late):
                reply = await link.read_response(disable_decoding=True, timeout=math.inf)
                confirmed += reply[0] == b"subscribe"
            said |= late
        return said

    async def _listen(self, link: AbstractConnection, said: set[str]) -> None:
        self._heard = asyncio.get_running_loop().time()
        self._link = link
        self._put(LinkLost())
        if gone := said - self._channels:  # given up meanwhile
            await self._say(link, "UNSUBSCRIBE", *gone)
        try:
            while True:
                self._take(await link.read_response(disable_decoding=True, timeout=math.inf))
        except (redis.RedisError, OSError) as error:
            logger.warning("The subscription to Redis broke (%s); connecting again.", error)
        finally:
            self._link = None
            self._settle_confirmations()
            await link.disconnect(nowait=True)

    async def _watch_the_link(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if (link := self._link) is None:
                continue
            if loop.time() - self._heard > DEAD_AFTER_S:
                logger.warning("Redis has been silent for %g s; connecting again.", DEAD_AFTER_S)
                await link.disconnect(nowait=True)
            else:
                await self._say(link, "PING")

    def _take(self, reply: list[Any]) -> None:
        self._heard = asyncio.get_running_loop().time()
        match reply:
            case [b"message", channel, data]:
                self._put(self._event(channel.decode(), data), len(data))
            case [b"subscribe", _, _] if self._asked:
                self._asked.popleft().set_result(None)

    def _event(self, channel: str, data: bytes) -> Event:
        if channel == self._keys.news:
            return News.parse(data.decode())
        if worker := self._keys.worker_of_seal(channel):
            positions = _positions.decode(data)
            return Seal(worker, {t: Position.parse(p) for t, p in positions.items()})
        start = data.index(b"{")
        position = Position.parse(data[: start - 1].decode())
        topic = self._keys.topic_of_channel(channel)
        return Frame(topic, position, data[start:], together=data[start - 1] == ord("+"))

    def _put(self, event: Event, size: int = 0) -> None:
        self._waiting_bytes += size
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes > MAX_WAITING_BYTES:
            self._waiting.clear()
            self._waiting_bytes = 0
            event = LinkLost()
        self._waiting.append(event)
        self._arrived.set()

    def _settle_confirmations(self) -> None:
        for confirmed in self._asked:
            confirmed.set_result(None)
        self._asked.clear()
        self._confirmed.clear()
