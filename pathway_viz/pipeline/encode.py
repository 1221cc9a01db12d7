"""From Python values to the wire: column types, converters, rows and keys as JSON bytes."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import types
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from pathway_viz.topics import Column, ColumnType

LARGEST_EXACT: Final = 2**53  # beyond, a JavaScript number is not exact
_KEY_BYTES: Final = 9
_encoder: Final = msgspec.json.Encoder()


class Nonfinite(Exception):
    """A float that JSON cannot say."""


def _int(value: Any) -> object:
    return int(value) if -LARGEST_EXACT <= value <= LARGEST_EXACT else str(int(value))


def _float(value: Any) -> object:
    number = float(value)
    if not math.isfinite(number):
        raise Nonfinite
    return number


def _moment(value: Any) -> object:
    return value.isoformat()


def _zoned(value: Any) -> object:
    return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()


def _timestamp(value: Any) -> object:
    """Unix milliseconds from a datetime, or from Unix seconds."""
    seconds = value.timestamp() if isinstance(value, dt.datetime) else float(value)
    return round(seconds * 1000)


def _json(value: Any) -> object:
    return value.value if type(value).__name__ == "Json" else value


def _array(value: Any) -> object:
    return _plain(value.tolist() if hasattr(value, "tolist") else value)


def _plain(value: Any) -> object:  # noqa: C901, PLR0911 - a table of types
    """Any value as JSON: exactly if it can be, else its text."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return _int(value)
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return b64encode(value).decode()
        case decimal.Decimal():
            return str(value)
        case dt.timedelta():
            return value.total_seconds()
        case dt.datetime() | dt.date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return _plain(_json(value)) if type(value).__name__ == "Json" else str(value)


CONVERTERS: Final[dict[ColumnType, Callable[[Any], object]]] = {
    ColumnType.BOOL: bool,
    ColumnType.INT: _int,
    ColumnType.FLOAT: _float,
    ColumnType.STR: str,
    ColumnType.BYTES: lambda value: b64encode(value).decode(),
    ColumnType.DATETIME: _zoned,
    ColumnType.DATETIME_NAIVE: _moment,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.DURATION: lambda value: value.total_seconds(),
    ColumnType.DECIMAL: str,
    ColumnType.JSON: lambda value: _plain(_json(value)),
    ColumnType.POINTER: str,
    ColumnType.ARRAY: _array,
    ColumnType.TUPLE: _plain,
    ColumnType.ANY: _plain,
}

_BY_NAME: Final = {
    "bool": ColumnType.BOOL,
    "int": ColumnType.INT,
    "float": ColumnType.FLOAT,
    "str": ColumnType.STR,
    "bytes": ColumnType.BYTES,
    "Decimal": ColumnType.DECIMAL,
    "DateTimeUtc": ColumnType.DATETIME,
    "DateTimeNaive": ColumnType.DATETIME_NAIVE,
    "datetime": ColumnType.DATETIME,
    "Duration": ColumnType.DURATION,
    "timedelta": ColumnType.DURATION,
    "Json": ColumnType.JSON,
    "Pointer": ColumnType.POINTER,
    "ndarray": ColumnType.ARRAY,
    "tuple": ColumnType.TUPLE,
    "list": ColumnType.TUPLE,
}


def column_type(hint: Any) -> ColumnType:
    """The column type of a Python or Pathway type hint; Optional ones as what they hold."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return column_type(inner[0]) if len(inner) == 1 else ColumnType.ANY
    return _BY_NAME.get(getattr(origin or hint, "__name__", ""), ColumnType.ANY)


def type_of(value: object) -> ColumnType:
    """The column type that a value sent by name suggests."""
    return column_type(type(value))


def key_of(pointer: int) -> bytes:
    """A row's key on the wire: 12 characters of a Pathway pointer, as JSON.

    The pointer is a 128-bit hash, whose 28 characters would cost more than most rows. Its low 72
    bits still keep a billion rows apart with odds of one in ten thousand.
    """
    low = pointer & ((1 << 8 * _KEY_BYTES) - 1)
    return b'"%s"' % urlsafe_b64encode(low.to_bytes(_KEY_BYTES, "big"))


def text_key(values: Any) -> bytes:
    """A row's key made from the tuple of its key columns' values, as JSON."""
    return _encoder.encode("\x1f".join(str(_plain(value)) for value in values))


class RowEncoder:
    """Encodes the rows of one topic, and remembers what could not be carried.

    ``nonfinite`` collects columns in which NaN or ±Infinity was seen, ``problems`` one sentence
    for each column and type that could not be encoded; such a cell is null.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [(column, CONVERTERS[column.type]) for column in columns]
        self.nonfinite: dict[str, None] = {}
        self.problems: dict[tuple[str, str], str] = {}

    def encode(self, values: Sequence[object]) -> bytes:
        """One row, in the order of the columns, as a JSON array."""
        cells = zip(self._columns, values, strict=True)
        return _encoder.encode(
            [
                None if value is None else self._cell(column, convert, value)
                for (column, convert), value in cells
            ]
        )

    def _cell(self, column: Column, convert: Callable[[Any], object], value: object) -> object:
        try:
            return convert(value)
        except Nonfinite:
            self.nonfinite[column.name] = None
        except Exception as error:  # noqa: BLE001 - whatever a value does, the pipeline goes on
            kind = type(value).__name__
            self.problems.setdefault(
                (column.name, kind),
                f"Column {column.name!r} ({column.type}) holds values of type {kind} that cannot "
                f"be shown ({error}); they are left empty.",
            )
        return None
