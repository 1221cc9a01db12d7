"""Every test here breaks something: it has a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pathway_viz.bus.types import BusOptions
from tests.servers import RedisServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them are slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.fault)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Valkey to be broken."""
    server = RedisServer("valkey")
    server.start()
    yield server
    server.remove()


@pytest.fixture
def bus_options(server: RedisServer, prefix: str) -> BusOptions:
    """A bus on the server that is broken."""
    return BusOptions(url=server.url, prefix=prefix)
