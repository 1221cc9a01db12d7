"""The listening end of the bus: one subscription for a whole web node."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
import redis

from pathway_viz.bus.connect import connect_async
from pathway_viz.bus.line import Line
from pathway_viz.bus.types import BusOptions, Frame, LinkLost, News, Seal
from pathway_viz.cancelling import cancel
from pathway_viz.topics import Keys
from pathway_viz.wire import Position

Event = Frame | Seal | LinkLost | News

PING_EVERY_S: Final = 2.0
DEAD_AFTER_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_positions: Final = msgspec.json.Decoder(dict[str, str])

logger = logging.getLogger("pathway_viz.bus")


class Subscriber:
    """Listens to topics, seals and news over one connection, made again whenever it breaks.

    ``heard`` gets the events that came together, in order, and must not wait. After every
    interruption they begin with `LinkLost`: frames may be missing, and the log has them. A dead
    link looks like silence, so the subscription itself is pinged: it is given up after at most
    PING_EVERY_S + DEAD_AFTER_S seconds.
    """

    def __init__(self, options: BusOptions, heard: Callable[[list[Event]], None]) -> None:
        self._keys = Keys(options.prefix)
        self._client = connect_async(options.url)
        self._tell = heard
        self._channels = {self._keys.news}
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        self._asked: deque[asyncio.Future[None]] = deque()  # in the order of the answers
        self._line: Line | None = None
        self._heard_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether the subscription stands."""
        return self._line is not None

    async def start(self) -> None:
        """Begin to listen; the connection is made, and made again, in the background."""
        for work in (self._listen_for_ever(), self._watch_the_line()):
            task = asyncio.create_task(work)
            self._tasks.add(task)

    async def close(self) -> None:
        """Stop listening and close the connection."""
        await cancel(self._tasks)
        self._tasks.clear()
        await self._client.aclose()

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
        if self._line is None:
            return
        if channel not in self._confirmed:
            self._confirmed[channel] = self._ask(self._line, channel)
        await asyncio.shield(self._confirmed[channel])

    async def _unfollow(self, channel: str) -> None:
        self._channels.discard(channel)
        self._confirmed.pop(channel, None)  # whoever asks again must say it again
        if self._line is not None:
            self._line.say("UNSUBSCRIBE", channel)

    def _ask(self, line: Line, channel: str) -> asyncio.Future[None]:
        """Subscribe; gives what is done when the server has confirmed it."""
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(confirmed)
        line.say("SUBSCRIBE", channel)
        return confirmed

    async def _listen_for_ever(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(DEAD_AFTER_S):
                    line = await Line.to(self._client.connection_pool, self._hear)
            except (redis.RedisError, OSError, TimeoutError):
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                await self._listen(line)
                pause = _FIRST_PAUSE_S
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _listen(self, line: Line) -> None:
        """Subscribe to everything, and wait until the connection is lost."""
        try:
            async with asyncio.timeout(DEAD_AFTER_S):
                said = await self._subscribe_all(line)
            if not line.lost.done():
                self._begin(line, said)
            error = await line.lost
            logger.warning(
                "The subscription to Redis broke (%s); connecting again.",
                error or "Connection closed by server.",
            )
        except TimeoutError:
            logger.warning("Redis does not confirm a subscription; connecting again.")
        finally:
            self._line = None
            self._settle_confirmations()
            await line.close()

    async def _subscribe_all(self, line: Line) -> set[str]:
        """Subscribe to every channel, also those that are added meanwhile."""
        said: set[str] = set()
        while late := self._channels - said:
            everything: asyncio.Future[Any] = asyncio.gather(*(self._ask(line, c) for c in late))
            lost: asyncio.Future[Any] = line.lost
            await asyncio.wait([everything, lost], return_when=asyncio.FIRST_COMPLETED)
            said |= late
        return said

    def _begin(self, line: Line, said: set[str]) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._line = line
        for gone in said - self._channels:  # given up meanwhile
            line.say("UNSUBSCRIBE", gone)
        self._tell([LinkLost()])

    async def _watch_the_line(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if (line := self._line) is None:
                continue
            if loop.time() - self._heard_at > DEAD_AFTER_S:
                logger.warning("Redis has been silent for %g s; connecting again.", DEAD_AFTER_S)
                await line.close()
            else:
                line.say("PING")

    def _hear(self, replies: list[Any]) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        events: list[Event] = []
        for reply in replies:
            match reply:
                case [b"message", channel, data]:
                    events.append(self._event(channel.decode(), data))
                case [b"subscribe", _, _] if self._asked:
                    self._confirm(self._asked.popleft())
        if events:
            self._tell(events)

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

    def _settle_confirmations(self) -> None:
        for confirmed in self._asked:
            self._confirm(confirmed)
        self._asked.clear()
        self._confirmed.clear()

    @staticmethod
    def _confirm(asked: asyncio.Future[None]) -> None:
        if not asked.done():
            asked.set_result(None)
