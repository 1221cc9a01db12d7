"""Pages, forms and admin over real HTTP, a real database and a real Valkey."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings

from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.types import BusOptions
from pathway_viz.models import Dashboard, Widget
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.web import access, catalogue, declared
from pathway_viz.widgets import DashboardSpec, WidgetSpec

pytestmark = pytest.mark.django_db

TOPIC = Topic(
    name="orders",
    title="Orders",
    kind=TopicKind.KEYED,
    columns=(
        Column(name="region", type=ColumnType.STR),
        Column(name="total", type=ColumnType.FLOAT),
        Column(name="ended", type=ColumnType.DATETIME),
    ),
)


@pytest.fixture(autouse=True)
def published(bus_options: BusOptions) -> Any:
    """The topic is in the catalogue of a prefix of its own."""
    publisher = Publisher(bus_options, owner="test")
    publisher.declare([TOPIC])
    catalogue._Carried.at = float("-inf")
    told = {"REDIS_URL": bus_options.url, "PREFIX": bus_options.prefix}
    with override_settings(PATHWAY_VIZ=told):
        yield publisher
    publisher.close()


@pytest.fixture
def board() -> Dashboard:
    board = Dashboard.objects.create(slug="shop", title="Shop", visibility="public")
    Widget.objects.create(
        dashboard=board, name="total", kind="stat", topic="orders", title="Total",
        options={"column": "total"},
    )  # fmt: skip
    return board


@pytest.fixture
def editor() -> User:
    user = User.objects.create_user("editor", password="x")
    names = ["change_widget", "change_dashboard", "add_widget"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def as_editor(editor: User) -> Client:
    client = Client()
    client.force_login(editor)
    return client


@pytest.mark.parametrize(
    ("visibility", "who", "status"),
    [
        ("public", "nobody", 200),
        ("signed_in", "nobody", 302),
        ("signed_in", "somebody", 200),
        ("restricted", "nobody", 302),
        ("restricted", "somebody", 403),
        ("restricted", "chosen", 200),
        ("restricted", "member", 200),
        ("restricted", "editor", 200),
    ],
)
def test_a_dashboard_is_for_those_it_is_for(
    board: Dashboard, editor: User, visibility: str, who: str, status: int
) -> None:
    Dashboard.objects.filter(pk=board.pk).update(visibility=visibility)
    people = {"somebody": User.objects.create_user("somebody"), "editor": editor}
    people["chosen"] = User.objects.create_user("chosen")
    board.users.add(people["chosen"])
    people["member"] = User.objects.create_user("member")
    group = Group.objects.create(name="g")
    group.user_set.add(people["member"])
    board.groups.add(group)
    client = Client()
    if who != "nobody":
        client.force_login(people[who])
    assert client.get("/live/shop/").status_code == status
    listed = b"Shop" in client.get("/live/").content
    assert listed is (status == 200)


def test_someone_who_is_switched_off_sees_only_what_is_public(board: Dashboard) -> None:
    user = User.objects.create_user("off", is_active=False)
    assert access.may_view(user, board)
    Dashboard.objects.update(visibility="signed_in")
    assert not access.may_view(user, board)


def test_a_dashboard_that_is_not_there_is_not_found() -> None:
    assert Client().get("/live/nothing/").status_code == 404


def test_the_list_can_be_searched_and_htmx_gets_the_list_alone(board: Dashboard) -> None:
    page = Client().get("/live/?q=shop")
    assert b"<html" in page.content
    part = Client().get("/live/?q=nothing", headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert b"Nothing found" in part.content


def test_an_empty_list_asks_again_until_there_is_something() -> None:
    client = Client(headers={"HX-Request": "true"})
    assert "?waiting=1&amp;q=" in Client().get("/live/").content.decode()
    assert client.get("/live/?waiting=1").status_code == 204
    Dashboard.objects.create(slug="shop", title="Shop", visibility="public")
    assert "Shop" in client.get("/live/?waiting=1").content.decode()


def test_what_is_in_a_title_is_text_never_markup(board: Dashboard) -> None:
    Dashboard.objects.update(title="<script>alert(1)</script>")
    Widget.objects.update(title="<img src=x>")
    page = Client().get("/live/shop/").content
    assert b"<script>alert" not in page
    assert b"<img src=x>" not in page


@pytest.mark.parametrize("path", ["-/topics/", "shop/edit/", "shop/edit/add/", "shop/edit/total/"])
def test_only_editors_reach_the_pages_that_change(
    board: Dashboard, as_editor: Client, path: str
) -> None:
    assert as_editor.get(f"/live/{path}").status_code == 200
    assert Client().get(f"/live/{path}").status_code == 302
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger"))
    assert stranger.get(f"/live/{path}").status_code == 403


def fields(**more: Any) -> dict[str, Any]:
    return {"kind": "stat", "topic": "orders", "title": "New", "size": "small", **more}


def test_a_form_is_made_from_the_kinds_options(board: Dashboard, as_editor: Client) -> None:
    page = as_editor.get("/live/shop/edit/add/?kind=gauge&topic=orders")
    form = page.context["form"]
    names = [field.name for field in form.option_fields]
    assert names == [
        f"option_{n}" for n in ("column", "min", "max", "unit", "format", "warning", "critical")
    ]
    assert [choice for choice, _ in form.fields["option_column"].choices] == ["total"]
    assert form.fields["option_min"].initial == 0


def test_a_widget_is_added_changed_moved_and_removed(
    board: Dashboard, as_editor: Client, editor: User
) -> None:
    added = fields(
        option_column="total", option_unit="$", option_delta="on", option_delta_good="up"
    )
    assert as_editor.post("/live/shop/edit/add/", added).status_code == 302
    widget = board.widgets.get(name="new")
    chosen = {"column": "total", "unit": "$", "delta": True, "delta_good": "up"}
    assert widget.options == {**chosen, "sparkline": False}
    chart = fields(kind="chart", title="Chart", option_y=["total"], option_x="ended",
                   option_style="line", option_max_points="500")  # fmt: skip
    assert as_editor.post("/live/shop/edit/new/", chart).status_code == 302
    widget.refresh_from_db()
    assert (widget.kind, widget.options["y"], widget.options["max_points"]) == (
        "chart",
        ["total"],
        500,
    )
    as_editor.post("/live/shop/edit/new/move/", {"to": "up"})
    assert [w.name for w in board.widgets.all()] == ["new", "total"]
    as_editor.post("/live/shop/edit/new/delete/")
    assert [w.name for w in board.widgets.all()] == ["total"]
    assert LogEntry.objects.filter(user=editor).count() == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"option_column": "nothing"}, "option_column"),
        ({"option_column": ""}, "option_column"),
        ({"option_format": "%%"}, "__all__"),
        ({"option_warning": "high"}, "option_warning"),
        ({"topic": "unknown"}, "topic"),
        ({"title": ""}, "title"),
    ],
)
def test_a_wrong_option_is_told_at_its_field(
    board: Dashboard, as_editor: Client, wrong: dict[str, str], field: str
) -> None:
    good = fields(option_column="total", option_delta_good="up")
    page = as_editor.post("/live/shop/edit/add/", {**good, **wrong})
    assert page.status_code == 200
    assert field in page.context["form"].errors
    assert board.widgets.count() == 1


def test_a_column_that_vanished_stays_and_is_marked(board: Dashboard, as_editor: Client) -> None:
    Widget.objects.update(options={"column": "gone"})
    page = as_editor.get("/live/shop/edit/total/").content.decode()
    assert "gone (missing)" in page
    assert "has no column &#x27;gone&#x27;" in page or "has no column" in page


def test_a_table_has_a_format_for_each_column(board: Dashboard, as_editor: Client) -> None:
    table = fields(kind="table", option_max_rows="10", option_formats__total="bar",
                   option_columns=["total", "region"])  # fmt: skip
    assert as_editor.post("/live/shop/edit/add/", table).status_code == 302
    assert board.widgets.get(name="new").options["formats"] == {"total": "bar"}


def test_the_preview_is_live_and_escaped(as_editor: Client) -> None:
    said = fields(title='"><script>', option_column="total")
    page = as_editor.post("/live/-/preview/", said).content.decode()
    assert "<pv-widget spec=" in page
    assert "<script>" not in page


def test_redis_that_is_away_is_said_and_nothing_is_lost(
    board: Dashboard, as_editor: Client
) -> None:
    with override_settings(PATHWAY_VIZ={"REDIS_URL": "redis://:secret@127.0.0.1:1/0"}):
        page = as_editor.get("/live/shop/edit/total/").content.decode()
    assert "did not answer" in page
    assert "secret" not in page
    assert "total (missing)" in page


def test_every_edit_counts(board: Dashboard) -> None:
    def revision() -> int:
        return Dashboard.objects.get(pk=board.pk).revision

    seen = [revision()]
    for edit in (
        lambda: board.widgets.get().save(),
        lambda: board.users.add(User.objects.create_user("a")),
        board.save,
        lambda: board.widgets.get().delete(),
    ):
        edit()
        seen.append(revision())
    assert seen == sorted(set(seen))


def spec(**more: Any) -> DashboardSpec:
    widget = WidgetSpec(
        name="total", kind="stat", topic="orders", title="Total", options={"column": "total"}
    )
    values = {"slug": "coded", "title": "Coded", "worker": "shop", "widgets": (widget,), **more}
    return DashboardSpec(**values)


def test_what_code_declares_is_created_once() -> None:
    declared.apply(spec())
    first = Dashboard.objects.get(slug="coded")
    declared.apply(spec())
    assert Dashboard.objects.get(slug="coded").revision == first.revision
    assert [w.name for w in first.widgets.all()] == ["total"]


def test_what_an_administrator_changed_stays_and_the_rest_follows() -> None:
    declared.apply(spec())
    board = Dashboard.objects.get(slug="coded")
    board.title = "Mine"
    board.save()
    declared.apply(spec(title="Theirs", description="New"))
    board.refresh_from_db()
    assert (board.title, board.description) == ("Mine", "New")


def test_a_widget_that_vanished_goes_unless_it_was_touched() -> None:
    other = WidgetSpec(name="b", kind="table", topic="orders", title="B")
    declared.apply(spec(widgets=(*spec().widgets, other)))
    Widget.objects.filter(name="b").update(title="Mine")
    declared.apply(spec(widgets=()))
    assert [w.name for w in Widget.objects.all()] == ["b"]


def test_a_page_carries_over_what_a_worker_declared(published: Publisher) -> None:
    published.declare_dashboards("shop", [spec(visibility="public")])
    assert Client().get("/live/coded/").status_code == 200


def render(source: str, user: Any) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load pathway_viz %}" + source).render(Context({"request": request}))


def test_the_tags_show_what_may_be_seen(board: Dashboard, editor: User) -> None:
    whole, one = '{% pathway_viz_dashboard "shop" %}', '{% pathway_viz_widget "shop" "total" %}'
    Dashboard.objects.update(visibility="restricted")
    stranger = User.objects.create_user("stranger")
    assert '<pv-dashboard slug="shop"' in render(whole, editor)
    assert 'only="total"' in render(one, editor)
    for source in (whole, one, '{% pathway_viz_widget "shop" "nothing" %}'):
        assert "pv-dashboard" not in render(source, stranger)


@pytest.fixture
def as_admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_the_admins_lists_and_forms_open(board: Dashboard, as_admin: Client) -> None:
    widget = board.widgets.get()
    for path in ("dashboard/", f"dashboard/{board.pk}/change/", "widget/", "widget/add/",
                 f"widget/{widget.pk}/change/", "dashboard/import/"):  # fmt: skip
        assert as_admin.get(f"/admin/pathway_viz/{path}").status_code == 200
    page = as_admin.get(f"/admin/pathway_viz/widget/{widget.pk}/change/").content.decode()
    assert "<pv-widget spec=" in page
    assert "option_column" in page


def test_a_widget_is_changed_in_the_admin_and_the_history_says_who(
    board: Dashboard, as_admin: Client
) -> None:
    widget = board.widgets.get()
    said = fields(dashboard=board.pk, order=3, option_column="total", option_delta_good="down")
    answer = as_admin.post(f"/admin/pathway_viz/widget/{widget.pk}/change/", said)
    assert answer.status_code == 302
    widget.refresh_from_db()
    assert (widget.title, widget.order, widget.options["delta_good"]) == ("New", 3, "down")
    assert LogEntry.objects.get().user.username == "admin"


def test_dashboards_are_duplicated_exported_and_imported(
    board: Dashboard, as_admin: Client
) -> None:
    changelist = "/admin/pathway_viz/dashboard/"
    as_admin.post(changelist, {"action": "duplicate", "_selected_action": [board.pk]})
    assert Dashboard.objects.get(slug="shop-2").widgets.get().options == {"column": "total"}
    export = as_admin.post(changelist, {"action": "export", "_selected_action": [board.pk]})
    assert json.loads(export.content)[0]["slug"] == "shop"
    board.delete()
    upload = SimpleUploadedFile("dashboards.json", export.content)
    as_admin.post(changelist + "import/", {"file": upload})
    assert Dashboard.objects.get(slug="shop").widgets.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[{}]",
        b'[{"slug":"a","title":"A","worker":"","widgets":[{"name":"x","kind":"pie","topic":"t","title":"T"}]}]',
        b"x" * 1_000_001,
    ],
)
def test_a_bad_import_changes_nothing_and_says_why(as_admin: Client, text: bytes) -> None:
    upload = SimpleUploadedFile("dashboards.json", text)
    page = as_admin.post("/admin/pathway_viz/dashboard/import/", {"file": upload})
    assert b"errornote" in page.content
    assert Dashboard.objects.count() == 0
