"""Answers that many viewers want at the same time: worked out once, kept for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from pathway_viz.cancelling import cancel

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Shared(Generic[Key, Value]):
    """Calls ``work`` once for all who ask for the same key within ``keep_s`` seconds.

    An error goes to everyone who waits for it, and is not kept.
    """

    def __init__(self, work: Callable[[Key], Coroutine[Any, Any, Value]], keep_s: float) -> None:
        self._work = work
        self._keep_s = keep_s
        self._answers: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """The answer for ``key``."""
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.create_task(self._work(key))
            task.add_done_callback(lambda done: self._expire(key, done))
        return await asyncio.shield(task)

    def forget(self, key: Key) -> None:
        """Work it out anew for whoever asks next."""
        self._answers.pop(key, None)

    def forget_all(self) -> None:
        """Work everything out anew for whoever asks next."""
        self._answers.clear()

    async def stop(self) -> None:
        """Give up what is being worked out."""
        await cancel(self._answers.values())

    def _expire(self, key: Key, task: asyncio.Task[Value]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._drop(key, task)
        else:
            asyncio.get_running_loop().call_later(self._keep_s, self._drop, key, task)

    def _drop(self, key: Key, task: asyncio.Task[Value]) -> None:
        if self._answers.get(key) is task:
            del self._answers[key]
