"""Every test here breaks something: it has a server, a site and nodes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pathway_viz.bus.types import BusOptions
from tests.nodes import ASGI_SERVERS, Node, Site
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


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A migrated database, to be copied."""
    server = RedisServer("valkey")
    server.start()
    directory = tmp_path_factory.mktemp("database")
    Site(BusOptions(url=server.url), directory)
    yield directory / "site.sqlite3"
    server.remove()


@pytest.fixture
def site(bus_options: BusOptions, tmp_path: Path, database: Path) -> Iterator[Site]:
    """A site with an empty database."""
    site = Site(bus_options, tmp_path, database, CHECK_S=0.5)
    yield site
    site.stop()


@pytest.fixture(params=ASGI_SERVERS)
def node(request: pytest.FixtureRequest, site: Site) -> Node:
    """A node of the site, on each server in turn."""
    return site.node(request.param)
