"""What may be imported where, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys

IMPORT = (
    "import sys, time; t = time.perf_counter(); import pathway_viz; print(time.perf_counter() - t)"
)


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_importing_the_root_is_quick_and_brings_nothing() -> None:
    assert statistics.median(float(run(IMPORT)) for _ in range(5)) < 0.1
    loaded = run(
        "import pathway_viz, sys; print([m for m in ('pathway', 'django', 'redis') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_a_web_process_never_imports_pathway() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import tests.asgi, pathway_viz.admin, pathway_viz.web.editing, pathway_viz as pv\n"
        "pv.gauge('cpu', max=10)\n"
        "print('pathway' in sys.modules)"
    )
    assert run(code).strip() == "False"


def test_unknown_names_are_refused() -> None:
    assert "no attribute 'nothing'" in run(
        "import pathway_viz\ntry: pathway_viz.nothing\nexcept AttributeError as e: print(e)"
    )
