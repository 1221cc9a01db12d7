"""``manage.py run_pipeline``: a worker of the site."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.test_pipeline import rows, snapshots
from tests.nodes import Site


async def test_a_pipeline_publishes_to_the_sites_redis_and_its_dashboards_are_in_the_models(
    site: Site,
) -> None:
    site.manage("run_pipeline", "tests.small_pipeline", warnings=False)
    found = await snapshots(site.options)
    assert rows(found["total"]) == [[3]]
    shown = "d = Dashboard.objects.get()\nprint(d.slug, d.worker, d.widgets.get().title)"
    assert site.shell(shown) == "small tests.small_pipeline Total"


@pytest.mark.parametrize("module", ["no.such.module", "nothing"])
def test_a_module_that_is_not_there_is_named(site: Site, module: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        site.manage("run_pipeline", module, warnings=False)
    assert f"There is no module {module!r}" in failed.value.stderr
    assert "Traceback" not in failed.value.stderr
