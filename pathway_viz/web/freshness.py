"""What viewers may believe of a topic: live, idle, stale or unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pathway_viz.bus.types import TopicState
from pathway_viz.wire import Liveness


def liveness(state: TopicState | None, idle_after_s: float, stale_after_s: float) -> Liveness:
    """Judge one topic by its state in Redis; None: it was never published.

    A topic that is shared has no publisher whose heartbeat could be missing.
    """
    if state is None:
        return Liveness.UNKNOWN
    if state.heartbeat and state.now - state.heartbeat > stale_after_s * 1000:
        return Liveness.STALE
    idle = state.now - state.position.ms > idle_after_s * 1000
    return Liveness.IDLE if idle else Liveness.LIVE


def judge(
    topics: Iterable[str],
    states: Mapping[str, TopicState],
    idle_after_s: float,
    stale_after_s: float,
) -> dict[str, Liveness]:
    """Judge every one of ``topics``."""
    return {topic: liveness(states.get(topic), idle_after_s, stale_after_s) for topic in topics}
