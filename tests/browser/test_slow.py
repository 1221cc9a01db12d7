"""A page that cannot keep up: it is told so, gets a fresh state, and ends with the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pathway_viz.bus.types import BusOptions
from tests.chromium import Watched
from tests.demo import eventually
from tests.feeder import Feeder
from tests.nodes import Node, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROWS = """() => Object.fromEntries(
  document.querySelector('pv-dashboard').page.store.topics.get('regions').rows)"""
HANG = "(ms) => { const end = performance.now() + ms; while (performance.now() < end); }"


@pytest.fixture
def feeder(bus_options: BusOptions) -> Iterator[Feeder]:
    """A dashboard whose topics change 2,000 times a second."""
    with Feeder(bus_options, rate=2000) as feeder:
        yield feeder


@pytest.fixture(params=["daphne", "uvicorn"])
def node(
    request: pytest.FixtureRequest, bus_options: BusOptions, tmp_path: Path, empty_database: Path
) -> Iterator[Node]:
    """A node that bears little."""
    told: dict[str, Any] = {
        "OUTBOX_BYTES": 30_000,
        "SLOW_VIEWER_TIMEOUT_S": 4,
        "HEARTBEAT_MS": 1000,
    }
    site = Site(bus_options, tmp_path, empty_database, **told)
    site.environment["PATHWAYVIZ_TEST_STATIC"] = "1"
    yield site.node(request.param)
    site.stop()


class Heard:
    """What came over the page's sockets."""

    def __init__(self, watched: Watched) -> None:
        self.reasons: list[str] = []
        self.sockets = 0
        watched.page.on("websocket", self._opened)

    def _opened(self, socket: Any) -> None:
        self.sockets += 1
        socket.on("framereceived", self._take)

    def _take(self, text: str) -> None:
        for envelope in json.loads(text):
            if envelope["type"] == "snapshot":
                self.reasons.append(envelope["payload"]["reason"])


def open_dashboard(node: Node, watched: Watched) -> None:
    page = watched.page
    eventually(lambda: page.goto(f"{node.address}/live/shop/").status == 200)  # type: ignore[union-attr]
    watched.until_painted()


def until_true(watched: Watched, feeder: Feeder) -> None:
    """The feeder stops; the page comes to hold its state."""
    feeder.pause()
    eventually(lambda: watched.page.evaluate(ROWS) == feeder.regions)


def test_a_page_that_hangs_lags_and_gets_the_latest_state(
    node: Node, feeder: Feeder, watched: Watched
) -> None:
    heard = Heard(watched)
    open_dashboard(node, watched)
    watched.page.evaluate(HANG, 2500)
    eventually(lambda: watched.page.evaluate("1") and "lag" in heard.reasons)
    until_true(watched, feeder)
    assert heard.sockets == 1
    assert watched.errors == []


def test_a_page_that_takes_nothing_is_closed_and_comes_back_by_itself(
    node: Node, feeder: Feeder, watched: Watched
) -> None:
    heard = Heard(watched)
    open_dashboard(node, watched)
    watched.page.evaluate(HANG, 7000)
    deadline = time.monotonic() + 20
    while heard.sockets < 2:
        assert time.monotonic() < deadline, "it did not come back"
        watched.page.wait_for_timeout(50)
    watched.until_state("live")
    until_true(watched, feeder)
