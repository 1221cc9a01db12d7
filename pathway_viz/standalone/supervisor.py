"""Keeps processes running: what dies is started again, and all end with the supervisor.

One thread does all the forking, because on Linux a child is tied to the thread that started it.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from pathway_viz.bus.lifeline import tied_to_parent

_LOOK_EVERY_S: Final = 0.1
_STABLE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 5.0
_END_TIMEOUT_S: Final = 5.0

logger = logging.getLogger("pathway_viz.standalone")


class Child(msgspec.Struct, kw_only=True):
    """A process to keep running.

    ``before`` runs each time before it is started. ``final`` children are not started again when
    they end by themselves with exit code 0.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = {}
    before: Callable[[], None] | None = None
    final: bool = False


class _Running:
    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.again_at = 0.0
        self.pause = 0.1
        self.over = False


class Supervisor:
    """Starts children in order, without waiting for one before the next, and keeps them alive."""

    def __init__(self) -> None:
        self._running: list[_Running] = []
        self._ask: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pathway_viz watch", daemon=True)
        self._thread.start()

    def add(self, child: Child) -> None:
        """Keep ``child`` running from now on."""
        self._ask.put(child)

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        found = [(one.child.name, one.process) for one in self._running]
        return {name: process.pid for name, process in found if process is not None}

    def stop(self) -> None:
        """End all children, the last one first, and wait for them."""
        self._ask.put(None)
        self._ended.wait(_END_TIMEOUT_S * 3)

    def _watch(self) -> None:
        while True:
            try:
                asked = self._ask.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._look()
                continue
            if asked is None:
                break
            self._running.append(_Running(asked))
            self._look()
        self._end_all()
        self._ended.set()

    def _look(self) -> None:
        for one in self._running:
            if one.over:
                continue
            if one.process is None:
                self._start_when_due(one)
            elif one.process.poll() is not None:
                self._died(one, one.process.returncode)

    def _start_when_due(self, one: _Running) -> None:
        if time.monotonic() < one.again_at:
            return
        if one.child.before:
            one.child.before()
        one.process = subprocess.Popen(
            tied_to_parent(one.child.command),
            env={**os.environ, **one.child.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        one.started = time.monotonic()

    def _died(self, one: _Running, code: int) -> None:
        one.process = None
        if one.child.final and code == 0:
            one.over = True
            return
        stable = time.monotonic() - one.started > _STABLE_S
        one.pause = 0.1 if stable else min(one.pause * 2, _LONGEST_PAUSE_S)
        one.again_at = time.monotonic() + one.pause
        logger.warning("The %s ended (%s) and is started again.", one.child.name, _words(code))

    def _end_all(self) -> None:
        for one in reversed(self._running):
            if one.process is None:
                continue
            one.process.terminate()
            try:
                one.process.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


def _words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
