"""Servers that every test may use."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pathway_viz.bus.types import BusOptions
from tests.chromium import Watched, chromium
from tests.nodes import ASGI_SERVERS, Node, Site
from tests.servers import SERVERS, RedisServer
from tests.shop import Shop

_valkey = RedisServer("valkey")


def pytest_configure() -> None:
    """Start the Valkey of Django's test settings before Django reads them."""
    _valkey.start()
    os.environ["PATHWAYVIZ_TEST_REDIS"] = _valkey.url


def pytest_unconfigure() -> None:
    """Stop it, and leave nothing behind."""
    _valkey.remove()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A real Valkey."""
    return _valkey.url


@pytest.fixture(scope="session", params=SERVERS)
def bus_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each of the servers in turn."""
    if request.param == "valkey":
        yield _valkey.url
        return
    server = RedisServer(request.param)
    server.start()
    yield server.url
    server.remove()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each page has a fresh profile."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page that notes what it complains about."""
    watched = Watched(browser)
    yield watched
    watched.page.context.close()


@pytest.fixture
def prefix() -> str:
    """A key prefix that no other test uses."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def bus_options(redis_url: str, prefix: str) -> BusOptions:
    """A bus on the Valkey, under a prefix of its own."""
    return BusOptions(url=redis_url, prefix=prefix)


@pytest.fixture(scope="session")
def empty_database(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to be copied."""
    directory = tmp_path_factory.mktemp("database")
    Site(BusOptions(url=redis_url), directory)
    return directory / "site.sqlite3"


@pytest.fixture
def site(bus_options: BusOptions, tmp_path: Path, empty_database: Path) -> Iterator[Site]:
    """A site with an empty database."""
    site = Site(bus_options, tmp_path, empty_database, CHECK_S=0.3)
    yield site
    site.stop()


@pytest.fixture(params=ASGI_SERVERS)
def node(request: pytest.FixtureRequest, site: Site) -> Node:
    """A node of the site, on each server in turn."""
    return site.node(request.param)


@pytest.fixture
def shop(bus_options: BusOptions) -> Shop:
    """A shop that publishes."""
    return Shop(bus_options)
