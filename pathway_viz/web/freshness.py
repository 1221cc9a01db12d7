"""What viewers may believe of a topic: live, idle, stale, dead or unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pathway_viz.bus.types import TopicState
from pathway_viz.conf import Settings
from pathway_viz.wire import Liveness


def liveness(state: TopicState | None, settings: Settings) -> Liveness:
    """Judge one topic by its state in Redis; None: it was never published.

    A topic that is shared has no publisher whose heartbeat could be missing.
    """
    if state is None:
        return Liveness.UNKNOWN
    if state.heartbeat:
        silent_s = (state.now - state.heartbeat) / 1000
        if silent_s > settings.dead_after_s or not state.owned:
            return Liveness.DEAD
        if silent_s > settings.stale_after_s:
            return Liveness.STALE
    idle = state.now - state.position.ms > settings.idle_after_s * 1000
    return Liveness.IDLE if idle else Liveness.LIVE


def judge(
    topics: Iterable[str], states: Mapping[str, TopicState], settings: Settings
) -> dict[str, Liveness]:
    """Judge every one of ``topics``."""
    return {topic: liveness(states.get(topic), settings) for topic in topics}
