"""The demo in a real browser: what is seen, what is asked for, what survives a kill."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched
from tests.demo import CHILDREN, Demo, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with Demo() as running:
        yield running


def test_every_widget_is_painted_and_nothing_complains(demo: Demo, watched: Watched) -> None:
    watched.page.goto(demo.address)
    watched.until_painted()
    watched.until_state("live")
    before = watched.text("pv-widget[name=load] .pv-stat-value")
    assert before[0].isdigit()
    assert watched.page.title() == "This machine"
    assert watched.page.locator("pv-widget canvas").count() == 3
    assert watched.page.locator("pv-widget[name=busiest-processes] tbody tr").count() > 3
    assert watched.errors == []
    assert watched.foreign(demo.origin) == []


def test_the_list_of_dashboards_is_searched_as_one_types(demo: Demo, watched: Watched) -> None:
    watched.page.goto(demo.origin + "/")
    watched.page.wait_for_selector("a.pv-card >> text=This machine")
    watched.page.fill("#pv-search", "nothing like it")
    watched.page.wait_for_selector("text=Nothing found")
    watched.page.fill("#pv-search", "machine")
    watched.page.wait_for_selector("a.pv-card >> text=This machine")
    assert watched.errors == []


def test_the_page_has_a_strict_policy(demo: Demo) -> None:
    with urlopen(demo.address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = answer.read().decode()
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page
    assert "style=" not in page


def test_a_table_sorts_by_click_and_stays_live(demo: Demo, watched: Watched) -> None:
    watched.page.goto(demo.address)
    watched.until_painted()
    watched.page.click("pv-widget[name=busiest-processes] th button >> text=threads")
    heading = "pv-widget[name=busiest-processes] th[aria-sort=descending]"
    assert watched.text(heading).startswith("threads")
    counts = watched.page.locator(
        "pv-widget[name=busiest-processes] td:last-child"
    ).all_inner_texts()
    numbers = [int(text.replace(",", "")) for text in counts]
    assert numbers == sorted(numbers, reverse=True)


def test_the_theme_can_be_switched_and_is_kept(demo: Demo, watched: Watched) -> None:
    watched.page.goto(demo.address)
    watched.page.click("[data-pv-theme-switch]")
    watched.page.click("[data-pv-theme-switch]")
    theme = "document.documentElement.dataset.pvTheme"
    assert watched.page.evaluate(theme) == "dark"
    watched.page.reload()
    watched.page.wait_for_function(f"{theme} === 'dark'")


def test_a_phone_shows_one_column_without_scrolling_sideways(demo: Demo, browser: Browser) -> None:
    watched = Watched(browser, viewport={"width": 390, "height": 844}, is_mobile=True)
    watched.page.goto(demo.address)
    watched.until_painted()
    assert watched.page.evaluate("document.documentElement.scrollWidth") == 390
    watched.page.context.close()


def test_the_keyboard_reaches_charts_and_headings(demo: Demo, watched: Watched) -> None:
    watched.page.goto(demo.address)
    watched.until_painted()
    watched.page.focus("pv-widget[name=network] .pv-chart")
    watched.page.keyboard.press("ArrowLeft")
    label = watched.page.get_attribute("pv-widget[name=network] .pv-chart", "aria-label") or ""
    assert label.startswith("Network: received")
    assert watched.errors == []


@pytest.mark.parametrize("child", CHILDREN)
def test_what_is_killed_comes_back_and_the_page_recovers(
    demo: Demo, watched: Watched, child: str
) -> None:
    watched.page.goto(demo.address)
    watched.until_painted()
    watched.until_state("live")
    watched.page.evaluate("window.notReloaded = true")
    killed = demo.child(CHILDREN[child])
    assert killed is not None
    killed.kill()
    if child != "valkey":  # an outage of milliseconds may be too short to be seen
        lost = "waiting" if child == "node" else "stale"
        watched.until_state(lost, timeout_s=20)
    eventually(lambda: (now := demo.child(CHILDREN[child])) and now.pid != killed.pid)
    watched.until_state("live", timeout_s=40)
    rows = "pv-widget[name=busiest-processes] tbody"
    before = watched.text(rows)
    eventually(lambda: watched.text(rows) != before)
    assert watched.page.evaluate("window.notReloaded")
