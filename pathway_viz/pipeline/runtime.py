"""The one runtime of a process: its registry, its sources, its publishing thread."""

from __future__ import annotations

import atexit
import os
import threading
from functools import cache
from typing import TYPE_CHECKING

from pathway_viz.pipeline import options
from pathway_viz.pipeline.publish import PublishingThread
from pathway_viz.pipeline.registry import Registry
from pathway_viz.pipeline.source import Source

if TYPE_CHECKING:
    from pathway_viz.pipeline.handle import Named


class Runtime:
    """What this process declares and publishes. The publishing thread starts when it is needed."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.sources: dict[str, Source] = {}
        self.named: dict[str, Named] = {}
        self.lock = threading.RLock()
        self._thread: PublishingThread | None = None
        self._pid = 0

    def add(self, source: Source) -> Source:
        """Remember a source; it is published once the thread runs."""
        self.sources[source.topic.name] = source
        if self._thread is not None and self._pid == os.getpid():
            self._thread.add(source)
        return source

    def thread(self) -> PublishingThread:
        """The publishing thread of this process; after a fork, a new one."""
        if self._thread is None or self._pid != os.getpid():
            self._thread, self._pid = PublishingThread(options.current(), self.lock), os.getpid()
            for source in self.sources.values():
                self._thread.add(source)
            self._thread.start()
            atexit.register(self._thread.stop)
        return self._thread

    def wake(self) -> None:
        """There is something to publish, if the thread runs already."""
        if self._thread is not None and self._pid == os.getpid():
            self._thread.wake()


@cache
def runtime() -> Runtime:
    """The runtime of this process."""
    return Runtime()
