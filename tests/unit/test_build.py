"""The wheel and the sdist hold all that is needed at run time, and no more is loaded than needed."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIST = ROOT / "pathway_viz" / "static" / "pathway_viz" / "dist"
NEEDED = (
    "pathway_viz/static/pathway_viz/dist/main.js",
    "pathway_viz/static/pathway_viz/dist/main.css",
    "pathway_viz/static/pathway_viz/dist/THIRD_PARTY_LICENSES.txt",
    "pathway_viz/bus/publish.lua",
    "pathway_viz/templates/pathway_viz/dashboard.html",
    "pathway_viz/py.typed",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the sdist, as they would be published."""
    target = tmp_path_factory.mktemp("built")
    build = "from hatchling.build import *; import sys; build_wheel(sys.argv[1]); build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(target)], cwd=ROOT, check=True)
    return target


def test_the_wheel_holds_it_all(built: Path) -> None:
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert [name for name in NEEDED if name not in names] == []
    assert any(re.fullmatch(r".*/dist/chunk-\w+\.js", name) for name in names)
    assert [name for name in names if "node_modules" in name or name.startswith("tests")] == []


def test_the_sdist_holds_the_bundle_and_its_sources(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert [
        n for n in (*NEEDED, "pathway_viz/browser/main.js", "hatch_build.py") if n not in names
    ] == []


def test_the_licences_of_all_that_is_bundled_are_there() -> None:
    text = (DIST / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    for package in ("echarts", "zrender", "d3-format", "tslib"):
        assert re.search(rf"^{package} \d", text, flags=re.MULTILINE), package
    assert "Apache ECharts\nCopyright" in text  # its NOTICE


def static_imports(name: str) -> set[str]:
    """``name`` and all modules it loads at once."""
    text = (DIST / name).read_text(encoding="utf-8")
    found = {name}
    for other in re.findall(r'(?:from|import)"\./([^"]+)"', text):
        found |= static_imports(other)
    return found


def gzipped(names: set[str]) -> int:
    return sum(len(gzip.compress((DIST / name).read_bytes())) for name in names)


def test_a_page_without_charts_is_at_most_60_kb_and_with_them_300() -> None:
    assert gzipped(static_imports("main.js")) <= 60_000
    assert gzipped({path.name for path in DIST.glob("*.js")}) <= 300_000
