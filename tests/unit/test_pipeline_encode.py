"""Every type of value on its way to the wire."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pathway_viz.pipeline.encode import RowEncoder, column_type, key_of, text_key
from pathway_viz.topics import Column, ColumnType

CET = dt.timezone(dt.timedelta(hours=1))


def encoded(kind: ColumnType, value: object) -> Any:
    return json.loads(RowEncoder([Column(name="c", type=kind)]).encode([value]))[0]


@pytest.mark.parametrize("kind", ColumnType)
def test_none_is_null_in_every_type(kind: ColumnType) -> None:
    assert encoded(kind, None) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (ColumnType.BOOL, True, True),
        (ColumnType.INT, 2**53, 2**53),
        (ColumnType.INT, 2**53 + 1, "9007199254740993"),
        (ColumnType.INT, -(2**63), "-9223372036854775808"),
        (ColumnType.INT, 2**63 - 1, "9223372036854775807"),
        (ColumnType.FLOAT, 1.5, 1.5),
        (ColumnType.FLOAT, np.float64(2.5), 2.5),
        (ColumnType.STR, 'a"<b>\u2028', 'a"<b>\u2028'),
        (ColumnType.BYTES, b"\x00\xff", "AP8="),
        (ColumnType.DATETIME, dt.datetime(2026, 1, 2, 3, 4, 5, 60000, CET), "2026-01-02T03:04:05.060000+01:00"),
        (ColumnType.DATETIME, dt.datetime(2026, 1, 2), "2026-01-02T00:00:00+00:00"),
        (ColumnType.DATETIME_NAIVE, dt.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        (ColumnType.TIMESTAMP, 1795228255.249, 1795228255249),
        (ColumnType.TIMESTAMP, dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), 1000),
        (ColumnType.DURATION, dt.timedelta(minutes=1, milliseconds=500), 60.5),
        (ColumnType.DECIMAL, Decimal("0.10"), "0.10"),
        (ColumnType.JSON, {"a": [1, None, {"b": 2**60}]}, {"a": [1, None, {"b": str(2**60)}]}),
        (ColumnType.POINTER, "^ABC", "^ABC"),
        (ColumnType.ARRAY, np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (ColumnType.ARRAY, np.array([1.5, np.nan]), [1.5, None]),
        (ColumnType.TUPLE, (1, "a", (2.5, None)), [1, "a", [2.5, None]]),
        (ColumnType.ANY, dt.timedelta(seconds=2), 2.0),
        (ColumnType.ANY, complex(1, 2), "(1+2j)"),
    ],
)  # fmt: skip
def test_a_value_travels_as_documented(kind: ColumnType, value: object, expected: object) -> None:
    assert encoded(kind, value) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_null_and_flagged(value: float) -> None:
    encoder = RowEncoder([Column(name="a", type=ColumnType.FLOAT)])
    assert encoder.encode([value]) == b"[null]"
    assert list(encoder.nonfinite) == ["a"]
    assert encoder.problems == {}


def test_what_cannot_be_encoded_is_told_once_for_each_column_and_type() -> None:
    encoder = RowEncoder([Column(name="a", type=ColumnType.FLOAT)])
    assert [encoder.encode([value]) for value in ("x", "y", object())] == [b"[null]"] * 3
    assert [kind for _, kind in encoder.problems] == ["str", "object"]
    assert "Column 'a' (float) holds values of type str" in next(iter(encoder.problems.values()))


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (int, ColumnType.INT),
        (int | None, ColumnType.INT),
        (int | str, ColumnType.ANY),
        (tuple[int, str], ColumnType.TUPLE),
        (np.ndarray, ColumnType.ARRAY),
        (Any, ColumnType.ANY),
    ],
)
def test_a_type_hint_gives_the_column_type(hint: object, kind: ColumnType) -> None:
    assert column_type(hint) is kind


def test_a_pointers_key_is_short_and_its_own() -> None:
    keys = {key_of(number * 2**40 + 1) for number in range(1000)}
    assert len(keys) == 1000
    assert {len(json.loads(key)) for key in keys} == {12}


def test_a_key_of_values_is_their_text() -> None:
    assert json.loads(text_key(("eu", 3))) == "eu\x1f3"
