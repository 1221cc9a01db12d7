"""Netting and coalescing: nothing is lost, and the last change of a key wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathway_viz.pipeline.batch import GONE, CommitBuffer, Pending

KEYS = st.sampled_from("abcd")


@pytest.mark.parametrize("order", [("insert", "delete"), ("delete", "insert")])
def test_an_update_is_an_insert_whatever_order_it_came_in(order: tuple[str, str]) -> None:
    buffer = CommitBuffer()
    for step in order:
        buffer.add("a", "new" if step == "insert" else "old", is_addition=step == "insert")
    assert buffer.take() == {"a": "new"}


def test_a_delete_alone_is_a_delete() -> None:
    buffer = CommitBuffer()
    buffer.add("a", "old", is_addition=False)
    assert buffer.take() == {"a": GONE}
    assert buffer.take() == {}


@given(st.lists(st.tuples(KEYS, st.integers() | st.none()), max_size=60), st.integers(1, 7))
def test_frames_lead_to_the_same_state_as_every_change(
    changes: list[tuple[str, Any]], every: int
) -> None:
    """Whatever is coalesced, whenever it is flushed: the state at the end is the same."""
    pending, state, expected = Pending(100), {}, {}
    for number, (key, value) in enumerate(changes):
        pending.merge(number, {key: GONE if value is None else value})
        expected[key] = value
        if number % every == 0 and (batch := pending.take()):
            state.update(batch.changes)
    if batch := pending.take():
        state.update(batch.changes)
    assert {k: None if v is GONE else v for k, v in state.items()} == expected


@given(st.lists(st.lists(st.integers(), max_size=5), max_size=20), st.integers(1, 30))
def test_an_append_topic_keeps_order_and_counts_what_it_drops(
    commits: list[list[int]], limit: int
) -> None:
    pending, rows = Pending(limit), [row for commit in commits for row in commit]
    for time, commit in enumerate(commits):
        pending.extend(time, commit)
    batch = pending.take()
    if not rows:
        assert batch is None
        return
    assert batch is not None
    assert list(batch.rows) == rows[-limit:]
    assert batch.dropped == max(0, len(rows) - limit)


def test_a_batchs_commit_is_its_latest() -> None:
    pending = Pending(10)
    pending.merge(8, {"a": 1})
    pending.merge(9, {"b": 1})
    batch = pending.take()
    assert batch is not None
    assert batch.commit == 9
