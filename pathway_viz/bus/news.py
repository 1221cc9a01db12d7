"""News: short notes to every web node, over the subscription that it has anyway."""

from __future__ import annotations

from functools import cache

import redis

from pathway_viz.bus.connect import connect, reaching
from pathway_viz.bus.types import BusOptions, News
from pathway_viz.topics import Keys


def tell(options: BusOptions, news: News) -> None:
    """Publish ``news``; whoever is not connected just now does not hear it.

    Raises:
        BusUnreachable: if Redis does not answer.

    """
    with reaching(options.url):
        _client(options.url).publish(Keys(options.prefix).news, str(news))


@cache
def _client(url: str) -> redis.Redis:
    """One client per process; its pool knows threads and forks."""
    return connect(url)
