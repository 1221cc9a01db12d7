"""Whatever frames come, in whatever order, the browser and the reference hold the same state."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.reference import Topic

NODE = shutil.which("node")
KEYS = st.sampled_from(["a", "b", "c", "d"])
ROW = st.lists(st.one_of(st.none(), st.integers(-99, 99), st.text(max_size=4)), max_size=3)
POSITION = st.builds(
    lambda epoch, offset: f"{epoch}:{1000 + offset}-{offset}",
    st.sampled_from(["e", "e", "e", "f"]),
    st.integers(1, 12),
)


def frame(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def keyed() -> st.SearchStrategy[list[Any]]:
    rows = st.dictionaries(KEYS, ROW, max_size=4)
    snapshot = st.builds(
        lambda p, r: ["snapshot", frame(position=p, commit=1, rows=r)], POSITION, rows
    )
    update = st.builds(
        lambda p, u, d: ["update", frame(position=p, commit=2, upserts=u, deletes=d)],
        POSITION,
        rows,
        st.lists(KEYS, max_size=3, unique=True),
    )
    return st.lists(st.one_of(snapshot, update, update, update), max_size=25)


def append() -> st.SearchStrategy[list[Any]]:
    rows = st.lists(ROW, max_size=4)
    snapshot = st.builds(
        lambda p, n, d, r: [
            "snapshot",
            frame(position=p, commit=1, count=n, dropped=d, batches=[[1, r]]),
        ],
        POSITION,
        st.integers(0, 60),
        st.integers(0, 20),
        rows,
    )
    update = st.builds(
        lambda p, d, r: ["update", frame(position=p, commit=2, dropped=d, rows=r)],
        POSITION,
        st.one_of(st.none(), st.none(), st.integers(0, 20)),
        rows,
    )
    return st.lists(st.one_of(snapshot, update, update, update), max_size=25)


@pytest.mark.skipif(NODE is None, reason="no node on PATH")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequences=st.lists(st.one_of(keyed(), append()), min_size=1, max_size=30))
def test_the_browser_and_the_reference_agree(sequences: list[Any]) -> None:
    done = subprocess.run(
        [str(NODE), str(Path(__file__).with_name("apply.mjs"))],
        input=json.dumps(sequences),
        capture_output=True,
        text=True,
        check=True,
    )
    for frames, held in zip(sequences, json.loads(done.stdout), strict=True):
        topic = Topic()
        verdicts = [topic.take(kind, content) for kind, content in frames]
        assert held == {"verdicts": verdicts, **topic.state()}
