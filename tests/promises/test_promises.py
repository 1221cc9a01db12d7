"""The ten promises of docs/architecture.md, each by its number."""

from __future__ import annotations

from pathlib import Path

from pathway_viz.bus.types import BusOptions
from tests.integration.conftest import *  # noqa: F403 - its fixtures
from tests.nodes import Node, Viewer
from tests.pipelines import COUNTS, Worker


def shown(viewer: Viewer) -> set[int]:
    return {row[0] for rows in viewer.rows.values() for row in rows.values()}


async def test_promise_7_all_widgets_fed_by_one_pipeline_show_the_same_commit(
    node: Node, bus_options: BusOptions, tmp_path: Path
) -> None:
    with Worker(tmp_path, bus_options, COUNTS) as worker:
        await worker.until_published("shallow", "deep", "deeper")
        async with Viewer.at(node, dashboards=["counts"]) as viewer:
            seen: list[set[int]] = []

            def look(viewer: Viewer) -> bool:
                if len(viewer.rows) == 3:
                    seen.append(shown(viewer))
                return len(seen) > 60

            await viewer.until(look, 30)
    assert [counts for counts in seen if len(counts) > 1] == []
    assert len({max(counts) for counts in seen}) > 40
