"""Servers that every test may use."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from pathway_viz.bus.types import BusOptions
from tests.chromium import Watched, chromium
from tests.servers import SERVERS, RedisServer

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
