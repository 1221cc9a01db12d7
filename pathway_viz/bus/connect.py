"""Connections to Redis: how long they may take, and how their URL is shown to people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from pathway_viz.errors import BusUnreachable

TIMEOUT_S: Final = 5.0
MOST_CONNECTIONS: Final = 16
_OPTIONS: Final[dict[str, Any]] = {
    "socket_connect_timeout": 3.0,
    "socket_timeout": TIMEOUT_S,
    "protocol": 2,
}


def connect(url: str) -> redis.Redis:
    """A synchronous client for ``redis://``, ``rediss://`` or ``unix://``; connects when used."""
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_OPTIONS)


def connect_async(url: str) -> redis.asyncio.Redis:
    """The asyncio twin of `connect`, with a few connections that many may wait for."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=TIMEOUT_S,
        retry=AsyncRetry(NoBackoff(), 0),
        **_OPTIONS,
    )
    return redis.asyncio.Redis.from_pool(pool)


def safe_url(url: str) -> str:
    """``url`` without user and password, for messages to people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn every failure to reach Redis into one clear sentence.

    Raises:
        BusUnreachable: if the block failed with an error of the connection or of the server.

    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise BusUnreachable(safe_url(url), _reason(error)) from error


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    return text.splitlines()[0]
