"""The live catalogue, for pages and forms: topics, and how alive each is."""

from __future__ import annotations

import math
import time
from typing import Final

from asgiref.sync import async_to_sync

from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import TopicState
from pathway_viz.conf import settings
from pathway_viz.errors import BusUnreachable
from pathway_viz.topics import Topic
from pathway_viz.web import declared
from pathway_viz.web.freshness import judge
from pathway_viz.widgets import DashboardSpec
from pathway_viz.wire import Liveness

CARRY_OVER_EVERY_S: Final = 2.0
MISSED_EVERY_S: Final = 0.1
Catalogue = dict[str, Topic]


def topics() -> tuple[Catalogue, str]:
    """Every topic by name, and the sentence to show when Redis does not answer (else '')."""
    return async_to_sync(_topics)()


def liveness(names: list[str]) -> dict[str, Liveness]:
    """How alive each of these topics is; all unknown when Redis does not answer."""
    states = async_to_sync(_states)(names)
    return judge(names, states, settings())


def carry_over(at_most_every_s: float = CARRY_OVER_EVERY_S) -> None:
    """Carry what code declares over into the models, unless that was done a moment ago."""
    if time.monotonic() - _Carried.at < at_most_every_s:
        return
    _Carried.at = time.monotonic()
    declared.apply_all(async_to_sync(_dashboards)())


class _Carried:
    at = -math.inf


async def _dashboards() -> list[DashboardSpec]:
    reader = Reader(settings().bus)
    try:
        return await reader.dashboards()
    except BusUnreachable:
        return []
    finally:
        await reader.close()


async def _topics() -> tuple[Catalogue, str]:
    reader = Reader(settings().bus)
    try:
        return await reader.catalogue(), ""
    except BusUnreachable as error:
        return {}, str(error)
    finally:
        await reader.close()


async def _states(names: list[str]) -> dict[str, TopicState]:
    reader = Reader(settings().bus)
    try:
        return await reader.states(names)
    except BusUnreachable:
        return {}
    finally:
        await reader.close()
