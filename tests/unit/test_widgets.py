"""Options are checked by kind, and against the topic they look at."""

from __future__ import annotations

from typing import Any

import pytest

from pathway_viz.errors import DeclarationError
from pathway_viz.topics import Column, ColumnType, Topic, TopicKind
from pathway_viz.widgets import (
    KINDS,
    ChartOptions,
    column_options,
    decode_options,
    encode_options,
    kind_of,
    problems,
)

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
LEAST: dict[str, dict[str, Any]] = {
    "stat": {"column": "total"},
    "gauge": {"column": "total"},
    "chart": {"y": ["total"]},
    "table": {},
}


def test_there_is_a_least_example_of_every_kind() -> None:
    assert set(LEAST) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_options_survive_encoding(kind: str) -> None:
    options = decode_options(kind, LEAST[kind])
    assert decode_options(kind, encode_options(options)) == options


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_options_fit_the_topic(kind: str) -> None:
    assert problems(decode_options(kind, LEAST[kind]), TOPIC) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_is_named(kind: str) -> None:
    with pytest.raises(DeclarationError, match=f"{kind}: .*`colour`"):
        decode_options(kind, {**LEAST[kind], "colour": "red"})


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("stat", {}, "`column`"),
        ("stat", {"column": "total", "format": "%%"}, "not a number format"),
        ("stat", {"column": "total", "delta": "yes"}, "bool.*delta"),
        ("gauge", {"column": "total", "min": 5, "max": 5}, "min < max"),
        ("gauge", {"column": "total", "unit": "x" * 21}, "unit"),
        ("chart", {"y": []}, "at least one column"),
        ("chart", {"y": ["a", "b"], "series": "c"}, "one y column"),
        ("chart", {"y": ["a"], "window_s": 0}, "window_s"),
        ("chart", {"y": ["a"], "max_points": 1}, "max_points"),
        ("table", {"max_rows": 0}, "max_rows"),
        ("table", {"formats": {"a": "sparkle"}}, "sparkle"),
        ("pie", {}, "expected one of stat, gauge, chart, table"),
    ],
)
def test_an_option_that_cannot_work_is_refused(
    kind: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        decode_options(kind, values)


@pytest.mark.parametrize("number_format", ["", ",.2f", "$,.0f", ".1%", ".3s", "+.2e", "(.1f", "~g"])
def test_d3s_number_formats_are_accepted(number_format: str) -> None:
    assert decode_options("stat", {"column": "a", "format": number_format})


def test_a_missing_column_names_those_that_exist() -> None:
    options = decode_options("chart", {"y": ["count"], "x": "ended"})
    assert problems(options, TOPIC) == [
        "y: topic 'orders' has no column 'count'; it has region, total, ended."
    ]


def test_a_column_of_the_wrong_type_says_which_is_needed() -> None:
    options = decode_options("gauge", {"column": "region"})
    assert problems(options, TOPIC) == [
        "column: column 'region' is str, a numeric column is needed."
    ]


def test_a_time_axis_takes_times_and_numbers_but_no_text() -> None:
    found = [problems(ChartOptions(y=("total",), x=name), TOPIC) for name in TOPIC.column_names]
    assert [bool(sentences) for sentences in found] == [True, False, False]


def test_column_formats_name_columns_too() -> None:
    options = decode_options("table", {"formats": {"gone": "bar"}})
    assert [option.columns for option in column_options(options)] == [(), (), ("gone",)]
    assert "'gone'" in problems(options, TOPIC)[0]


def test_every_kind_has_a_title_and_describes_itself() -> None:
    assert all(kind.title and kind.description for kind in KINDS.values())
    assert [kind_of(name).name for name in KINDS] == list(KINDS)
