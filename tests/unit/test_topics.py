"""Topic names and Redis keys."""

from __future__ import annotations

import pytest

from pathway_viz.errors import TopicError
from pathway_viz.topics import ColumnType, Keys, check_name, slugify


@pytest.mark.parametrize("name", ["cpu", "orders_by_region", "a.b-c", "0", "x" * 100])
def test_a_good_name_is_returned(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "CPU", "a b", "{a}", "-a", "x" * 101, "a:b", "ä", "a\n"])
def test_a_bad_name_is_refused_with_what_was_expected(name: str) -> None:
    with pytest.raises(TopicError, match="expected 1 to 100 of a-z"):
        check_name(name)


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Orders / min", "orders-min"), ("CPU", "cpu"), ("--", "topic"), ("Größe", "gr-e")],
)
def test_a_slug_is_a_good_name(text: str, slug: str) -> None:
    assert check_name(slugify(text)) == slug


def test_the_keys_of_a_topic_share_a_hash_tag() -> None:
    keys = Keys("site")
    assert [keys.meta("cpu"), keys.rows("cpu"), keys.log("cpu"), keys.channel("cpu")] == [
        "site:{cpu}:meta",
        "site:{cpu}:rows",
        "site:{cpu}:log",
        "site:{cpu}",
    ]


def test_a_channel_tells_its_topic() -> None:
    keys = Keys("site")
    assert keys.topic_of_channel(keys.channel("a.b-c")) == "a.b-c"


def test_types_that_can_be_drawn_and_types_that_are_times_are_disjoint() -> None:
    assert not [kind for kind in ColumnType if kind.numeric and kind.temporal]
