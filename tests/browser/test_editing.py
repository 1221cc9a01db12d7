"""An administrator makes a dashboard from published topics without touching code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions
from pathway_viz.widgets import DashboardSpec
from tests.chromium import Watched
from tests.nodes import Node, Site
from tests.shop import Shop

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def node(bus_options: BusOptions, tmp_path: Path) -> Iterator[Node]:
    """A node that serves its static files too."""
    site = Site(bus_options, tmp_path, CHECK_S=0.5)
    site.environment["PATHWAYVIZ_TEST_STATIC"] = "1"
    site.shell("User.objects.create_superuser('admin', password='secret')")
    yield site.node("daphne")
    site.stop()


def sign_in(watched: Watched, node: Node) -> None:
    page = watched.page
    page.goto(node.address + "/admin/login/?next=/live/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "secret")
    page.click("[type=submit]")
    page.wait_for_selector("h1 >> text=Dashboards")


def test_from_a_topic_to_a_live_widget(
    node: Node, bus_options: BusOptions, watched: Watched
) -> None:
    shop, page = Shop(bus_options), watched.page
    sign_in(watched, node)
    page.goto(node.address + "/live/-/topics/")
    page.click("tr:has-text('regions') >> text=Add to Shop")
    page.wait_for_url("**/edit/add/**", wait_until="load")  # htmx listens from then on
    page.select_option("[name=kind]", "gauge")
    page.wait_for_selector("[name=option_min]")
    page.fill("[name=title]", "Total so far")
    page.fill("[name=option_max]", "500")
    shop.set("us", 123)
    page.wait_for_selector("#pv-preview .pv-gauge-value:text-is('123')")
    page.fill("[name=option_unit]", "%")
    page.wait_for_selector("#pv-preview .pv-gauge-value:text-is('123%')")
    shop.set("us", 124)
    page.wait_for_selector("#pv-preview .pv-gauge-value:text-is('124%')")
    page.click("text=Save")
    page.wait_for_selector("td >> text=Total so far")
    page.click("text=View")
    page.wait_for_selector("pv-widget[name=total-so-far] .pv-gauge-value:text-is('124%')")
    assert watched.errors == []


def test_the_catalogue_follows_what_is_published(
    node: Node, bus_options: BusOptions, watched: Watched
) -> None:
    sign_in(watched, node)
    watched.page.goto(node.address + "/live/-/topics/")
    watched.page.wait_for_selector("text=Nothing is published yet")
    Shop(bus_options)
    watched.page.wait_for_selector("#pv-topics code >> text=regions")
    assert watched.errors == []


def test_the_admins_form_has_a_live_preview(
    node: Node, bus_options: BusOptions, watched: Watched
) -> None:
    shop, page = Shop(bus_options), watched.page
    sign_in(watched, node)
    page.goto(node.address + "/admin/pathway_viz/widget/")
    page.click("text=Total")
    page.wait_for_url("**/change/**", wait_until="load")
    page.wait_for_selector("#pv-preview .pv-stat-value")
    page.fill("[name=option_unit]", "€")
    page.wait_for_selector("#pv-preview .pv-stat-value:text-is('€0')")
    shop.set("eu", 7)
    page.wait_for_selector("#pv-preview .pv-stat-value:text-is('€7')")


def test_an_edit_changes_the_page_that_is_open(
    node: Node, bus_options: BusOptions, watched: Watched
) -> None:
    Shop(bus_options)
    sign_in(watched, node)
    page = watched.page
    page.goto(node.address + "/live/shop/")
    page.wait_for_selector("pv-widget[name=total] .pv-stat-value")
    page.evaluate("window.notReloaded = true")
    other = page.context.new_page()
    other.goto(node.address + "/live/shop/edit/total/")
    other.fill("[name=title]", "The sum")
    other.click("text=Save")
    page.wait_for_selector("pv-widget h2:text-is('The sum')")
    assert page.evaluate("window.notReloaded")


def test_an_open_list_shows_a_dashboard_as_soon_as_a_worker_declares_it(
    node: Node, bus_options: BusOptions, watched: Watched
) -> None:
    sign_in(watched, node)
    watched.page.goto(node.address + "/live/")
    watched.page.wait_for_selector("text=No dashboards yet")
    worker = Publisher(bus_options, owner="test")
    worker.declare_dashboards("test", [DashboardSpec(worker="test", slug="late", title="Late")])
    watched.page.wait_for_selector("a.pv-card >> text=Late")
    worker.close()
    assert watched.errors == []
