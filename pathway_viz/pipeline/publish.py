"""The publishing thread: takes what waits, encodes it once, hands it to the bus.

The pipeline waits for nobody: when Redis is away, changes go on being coalesced in bounded
memory; when it comes back, they go out, and what it forgot is published whole again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Iterable, Mapping

import msgspec

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import Change, Lost, Outcome, Refused
from pathway_viz.errors import BusUnreachable, PublisherFenced
from pathway_viz.pipeline.options import PipelineOptions
from pathway_viz.pipeline.source import Source
from pathway_viz.topics import Topic
from pathway_viz.widgets import DashboardSpec

logger = logging.getLogger("pathway_viz.pipeline")

_LONGEST_PAUSE_S = 2.0


class PublishingThread:
    """Publishes the topics of this process. `wake` and `stop` may be called from any thread."""

    def __init__(self, options: PipelineOptions, lock: threading.RLock) -> None:
        self._options = options
        self._lock = lock
        worker = options.worker_name
        self._publisher = Publisher(options.bus, owner=_owner(worker), worker=worker)
        self._sources: dict[str, Source] = {}
        self._dashboards: list[DashboardSpec] = []
        self._dashboards_written = True
        self._declared: dict[str, Topic] = {}
        self._fenced: dict[str, str] = {}
        self._claimed: set[str] = set()
        self._unsent: list[Change] = []
        self._told_problems: set[str] = set()
        self._away = False
        self._said = 0
        self._work = threading.Event()
        self._published = threading.Condition()
        self._woken = self._done = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pathway_viz publish", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def add(self, source: Source) -> None:
        """Publish ``source`` too; its topic appears in the catalogue at once."""
        self._sources = {**self._sources, source.topic.name: source}
        self.wake()

    def declare(self, dashboards: list[DashboardSpec]) -> None:
        """Write these dashboards, in place of what this worker declared before."""
        self._dashboards, self._dashboards_written = dashboards, False
        self.wake()

    def wake(self) -> None:
        """There is something to publish."""
        self._woken += 1
        self._work.set()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was stored is published; False if it takes longer (seconds)."""
        wanted = self._woken
        with self._published:
            return self._published.wait_for(lambda: self._done >= wanted, timeout)

    def stop(self, timeout: float = 2.0) -> None:
        """Publish what waits, give the topics free, and end."""
        self.flush(timeout)
        self._stopping.set()
        self._work.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        pause, beat = 0.05, 0.0
        while not self._stopping.is_set():
            try:
                self._publish_once()
                if time.monotonic() >= beat and not self._unsent:
                    self._heartbeat()
                    beat = time.monotonic() + self._options.heartbeat_s
                pause = 0.05
                self._came_back()
                if not self._unsent:
                    self._work.wait(max(0.0, beat - time.monotonic()))
            except BusUnreachable as error:
                self._went_away(error)
                self._stopping.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            except Exception:
                logger.exception("Publishing failed; trying again.")
                self._stopping.wait(_LONGEST_PAUSE_S)
        self._leave()

    def _leave(self) -> None:
        with contextlib.suppress(BusUnreachable):  # else the lease will run out
            self._publisher.release(sorted(self._claimed))
        self._publisher.close()

    def _went_away(self, error: BusUnreachable) -> None:
        if not self._away:
            logger.warning("%s Publishing goes on as soon as it answers.", error)
        self._away = True
        self._declared.clear()

    def _came_back(self) -> None:
        if self._away:
            logger.warning("Redis answers again; nothing was lost.")
        self._away = False

    def _publish_once(self) -> None:
        self._work.clear()
        seen = self._woken
        self._declare()
        self._unsent = self._unsent or self._take()
        if self._unsent:
            outcomes = self._publisher.publish(self._unsent)
            sent = {change.topic: change for change in self._unsent}
            self._unsent = self._settle(outcomes, sent)
            self._declare()
            self._stopping.wait(self._options.coalesce_ms / 1000)
        if self._unsent:
            return
        with self._published:
            self._done = seen
            self._published.notify_all()

    def _take(self) -> list[Change]:
        """Take what waits of all topics at one moment, so that they show the same commits."""
        with self._lock:
            sources = [s for name, s in self._sources.items() if name not in self._fenced]
            taken = [(source, source.collect()) for source in sources]
        return [self._numbered(source.encode(batch)) for source, batch in taken if batch]

    def _numbered(self, change: Change) -> Change:
        self._said += 1
        return msgspec.structs.replace(change, id=f"{self._publisher.token}-{self._said}")

    def _declare(self) -> None:
        """Claim new topics; write what changed in the catalogue, and the dashboards."""
        topics = {name: source.topic for name, source in self._sources.items()}
        changed = [topic for name, topic in topics.items() if self._declared.get(name) != topic]
        if changed:
            self._claim(t for t in changed if not t.shared and t.name not in self._claimed)
            self._publisher.declare(changed)
            self._tell_problems(changed)
            self._declared.update({topic.name: topic for topic in changed})
        if not self._dashboards_written:
            self._publisher.declare_dashboards(self._options.worker_name, self._dashboards)
            self._dashboards_written = True

    def _claim(self, topics: Iterable[Topic]) -> None:
        wanted = list(topics)
        refused = {one.topic: one.owner for one in self._publisher.claim(wanted)}
        for topic in wanted:
            if topic.name in refused:
                self._fence(topic.name, refused[topic.name])
            else:
                self._claimed.add(topic.name)
                self._unfence(topic.name)

    def _fence(self, topic: str, owner: str) -> None:
        if topic not in self._fenced:
            logger.error("%s", PublisherFenced(topic, owner))
        self._fenced[topic] = owner
        self._claimed.discard(topic)

    def _unfence(self, topic: str) -> None:
        if self._fenced.pop(topic, None):
            logger.warning("Topic %r is free now and published from here.", topic)
            self._sources[topic].whole = True

    def _tell_problems(self, topics: Iterable[Topic]) -> None:
        for problem in {problem for topic in topics for problem in topic.problems}:
            if problem not in self._told_problems:
                logger.warning("%s", problem)
                self._told_problems.add(problem)

    def _heartbeat(self) -> None:
        if self._fenced:
            self._claim(self._sources[name].topic for name in list(self._fenced))
        self._unsent = self._settle(self._publisher.heartbeat(sorted(self._claimed)), {})

    def _settle(self, outcomes: Iterable[Outcome], sent: Mapping[str, Change]) -> list[Change]:
        """Stop publishing what another one owns; give what Redis lost, to be said whole."""
        lost = []
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self._fence(outcome.topic, outcome.owner)
            elif isinstance(outcome, Lost):
                lost.append(outcome)
        if lost:
            self._declared.clear()
            self._dashboards_written = False
            self._claim(self._sources[one.topic].topic for one in lost)
        now = int(time.time() * 1000)
        wholes = (
            self._sources[one.topic].everything(now, one.missing, sent.get(one.topic))
            for one in lost
            if one.topic not in self._fenced
        )
        return [self._numbered(whole) for whole in wholes]


def _owner(worker: str) -> str:
    return f"{worker}, process {os.getpid()} on {socket.gethostname()}"
