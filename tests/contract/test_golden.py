"""The golden frames, which the browser's tests read too: `tests/browser/js/golden.test.js`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pathway_viz import wire
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.wire import CloseCode, Liveness, SnapshotReason

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden.json").read_text("utf-8"))
REGIONS = Topic(
    name="regions",
    title="Regions",
    kind=TopicKind.KEYED,
    columns=(
        Column(name="region", type=ColumnType.STR),
        Column(name="total", type=ColumnType.FLOAT),
    ),
    worker="shop",
    nonfinite=("total",),
)


def test_updates_are_joined_from_a_log_entrys_parts() -> None:
    upserts = b'"us":["us",15301.0],"eu":["eu",null]'
    position = "k3f9:1795228255301-43"
    keyed = wire.keyed_update("regions", position, 1795228255300, upserts, b'"asia"')
    rows = b"[1795228255300,68.0],[1795228255301,69.5]"
    append = wire.append_update("cpu", "k3f9:1795228255301-8", 1795228255300, rows, 1204)
    assert keyed.decode() == GOLDEN["update"]["keyed"]
    assert append.decode() == GOLDEN["update"]["append"]


def test_snapshots_are_joined_from_encoded_rows() -> None:
    rows = [(b'"us"', b'["us",15234.5]'), (b'"asia"', b'["asia",7]')]
    head = ("regions", "k3f9:1795228255249-42", SnapshotReason.JOIN, 1795228255200)
    assert wire.keyed_snapshot(*head, rows).decode() == GOLDEN["snapshot"]["keyed"]
    batches = [
        (1795228255100, b"[1795228255100,71.5]"),
        (1795228255200, b"[1795228255200,75.5],[1795228255201,76]"),
    ]
    head = ("cpu", "k3f9:1795228255249-7", SnapshotReason.GAP, 1795228255200)
    assert wire.append_snapshot(*head, 3, 0, batches).decode() == GOLDEN["snapshot"]["append"]


WIDGET = wire.WidgetConfig(
    name="total",
    kind="stat",
    title="Total",
    description="",
    topic="regions",
    size="small",
    options={"column": "total"},
)
MESSAGES: dict[str, wire.NodeMessage] = {
    "config": wire.Config(
        dashboard=wire.DashboardConfig(
            slug="shop", title="Shop", description="", theme="auto", revision=7, widgets=(WIDGET,)
        ),
        topics={"regions": REGIONS},
        rights=("change",),
        heartbeat_ms=5000,
    ),
    "status": wire.Status(
        topics={"regions": Liveness.LIVE, "cpu": Liveness.STALE},
        commits={"regions": 1795228255300},
        now=1795228255311,
    ),
    "error": wire.Error(code=4403, text="You may not see this dashboard.", about="shop"),
    "history": wire.History(
        id="h1",
        topic="regions",
        start=1,
        end=3,
        resolution=0,
        complete=True,
        times=[1, 3],
        keys=["us", "us"],
        columns={"total": [15100.0, None]},
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_nodes_message_is_encoded_as_the_golden_one(name: str) -> None:
    assert wire.encode(MESSAGES[name]).decode() == GOLDEN["node"][name]


@pytest.mark.parametrize("name", GOLDEN["browser"])
def test_a_browsers_message_is_understood(name: str) -> None:
    text = json.dumps([{"version": 1, "type": name, "payload": GOLDEN["browser"][name]}])
    (message,) = wire.decode_client(text)
    for field, value in GOLDEN["browser"][name].items():
        held = getattr(message, field)
        assert (list(held) if isinstance(held, tuple) else held) == value


def test_both_sides_know_the_same_close_codes() -> None:
    assert sorted(CloseCode) == GOLDEN["close_codes"]
