"""Who is sent what: refused dashboards, rights that are lost, edits that arrive."""

from __future__ import annotations

import asyncio

import pytest

from pathway_viz.bus.types import BusOptions
from tests.nodes import Node, Site, Viewer
from tests.people import sign_in
from tests.shop import Shop


@pytest.fixture
def private(bus_options: BusOptions) -> Shop:
    return Shop(bus_options, "restricted")


async def ready(node: Node) -> None:
    """The node has carried the declared dashboards over."""
    await asyncio.to_thread(node.get, "/live/")


async def test_what_a_viewer_may_not_see_is_never_sent(
    site: Site, node: Node, private: Shop
) -> None:
    await ready(node)
    stranger = sign_in(site, "stranger")
    for cookie, code in (("", 4401), (stranger, 4403)):
        async with Viewer.at(node, cookie, dashboards=["shop"]) as viewer:
            assert await viewer.until_closed() == code
            assert [envelope["type"] for envelope in viewer.heard] == ["error"]
            assert viewer.of("error")[0]["about"] == "shop"


async def test_a_dashboard_that_is_not_there_is_said(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["nothing"]) as viewer:
        assert await viewer.until_closed() == 4404


async def test_one_refused_dashboard_does_not_hide_the_others(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop", "nothing"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        assert [error["code"] for error in viewer.of("error")] == [4404]


async def test_losing_the_right_closes_the_socket_within_seconds(
    site: Site, node: Node, private: Shop
) -> None:
    await ready(node)
    cookie = sign_in(site, "ann")
    site.shell("Dashboard.objects.get().users.add(User.objects.get())")
    async with Viewer.at(node, cookie, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        await asyncio.to_thread(site.shell, "Dashboard.objects.get().users.clear()")
        assert await viewer.until_closed(timeout=5) == 4403


async def test_signing_out_closes_the_socket_within_seconds(
    site: Site, node: Node, bus_options: BusOptions
) -> None:
    Shop(bus_options, "signed_in")
    await ready(node)
    cookie = sign_in(site, "ann")
    async with Viewer.at(node, cookie, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        gone = "from django.contrib.sessions.models import Session\nSession.objects.all().delete()"
        await asyncio.to_thread(site.shell, gone)
        assert await viewer.until_closed(timeout=5) == 4401


async def test_an_edit_reaches_those_who_watch(site: Site, node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        edit = (
            "w = Widget.objects.get(name='total'); w.title = 'Sum'; w.save()\n"
            "Widget.objects.get(name='events').delete()"
        )
        await asyncio.to_thread(site.shell, edit)
        await viewer.until(lambda v: len(v.of("config")[-1]["dashboard"]["widgets"]) == 2)
        assert [w["title"] for w in viewer.of("config")[-1]["dashboard"]["widgets"]] == [
            "Regions",
            "Sum",
        ]


async def test_config_is_never_sent_without_a_reason(node: Node, shop: Shop) -> None:
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: len(v.positions) == 2)
        for number in range(20):
            last = shop.set("us", number)
            await viewer.until(lambda v, last=last: v.positions["regions"] == last)
            await asyncio.sleep(0.05)
        assert len(viewer.of("config")) == 1


async def test_a_column_that_vanished_is_a_warning(site: Site, node: Node, shop: Shop) -> None:
    await ready(node)
    site.shell("Widget.objects.filter(name='total').update(options={'column': 'gone'})")
    async with Viewer.at(node, dashboards=["shop"]) as viewer:
        await viewer.until(lambda v: bool(v.of("config")))
        (warning,) = viewer.of("config")[0]["dashboard"]["widgets"][1]["warnings"]
        assert "has no column 'gone'; it has region, total" in warning


async def test_bare_topics_are_for_those_who_may_change_widgets(
    site: Site, node: Node, shop: Shop
) -> None:
    await ready(node)
    async with Viewer.at(node, topics=["regions"]) as viewer:
        assert await viewer.until_closed() == 4401
    editor = sign_in(site, "editor", "change_widget")
    async with Viewer.at(node, editor, topics=["regions"]) as viewer:
        await viewer.until(lambda v: "regions" in v.positions)
        assert viewer.of("config")[0]["dashboard"] is None


async def test_a_topic_that_is_published_later_arrives(
    site: Site, node: Node, bus_options: BusOptions
) -> None:
    make = (
        "d = Dashboard.objects.create(slug='later', title='Later', visibility='public')\n"
        "d.widgets.create(name='a', kind='stat', topic='regions', title='A', options={'column': 'total'})"
    )
    site.shell(make)
    async with Viewer.at(node, dashboards=["later"]) as viewer:
        await viewer.until(lambda v: bool(v.of("status")))
        shop = Shop(bus_options)
        last = shop.set("us", 5)
        await viewer.until(lambda v: v.positions.get("regions") == last)
        await viewer.until(lambda v: v.of("config")[-1]["topics"] != {})
        assert viewer.rows["regions"]["us"] == ["us", 5]


async def test_nodes_that_carry_over_the_same_dashboards_at_once_do_not_disturb_each_other(
    site: Site,
) -> None:
    """SQLite refuses who would write while another node does; then it is tried again."""
    carry_over = (
        "from pathway_viz.web.declared import apply\n"
        "from pathway_viz.widgets import DashboardSpec\n"
        "for number in range(40):\n"
        "    apply(DashboardSpec(slug=f'd{number}', title='D', worker='shop'))\n"
    )
    await asyncio.gather(*(asyncio.to_thread(site.shell, carry_over) for _ in range(4)))
    assert site.shell("print(Dashboard.objects.count())") == "40"
