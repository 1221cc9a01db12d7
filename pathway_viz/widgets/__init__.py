"""The kinds of widgets: one file per kind, the same names as in ``browser/widgets/``."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.widgets.base import (
    ColumnOption,
    DashboardSpec,
    Kind,
    Options,
    Role,
    Size,
    WidgetSpec,
    column_options,
    problems,
    role_of,
)
from pathway_viz.widgets.chart import CHART, ChartOptions
from pathway_viz.widgets.gauge import GAUGE, GaugeOptions
from pathway_viz.widgets.stat import STAT, StatOptions
from pathway_viz.widgets.table import TABLE, TableOptions

__all__ = [
    "KINDS", "ChartOptions", "ColumnOption", "DashboardSpec", "GaugeOptions", "Kind", "Options",
    "Role", "Size", "StatOptions", "TableOptions", "WidgetSpec", "column_options",
    "complete_options", "decode_options", "default_of",
    "encode_options", "kind_of", "problems", "role_of",
]  # fmt: skip

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in (STAT, GAUGE, CHART, TABLE)}


def kind_of(name: str) -> Kind:
    """The kind called ``name``; raise DeclarationError naming the kinds that exist."""
    try:
        return KINDS[name]
    except KeyError:
        raise DeclarationError(
            f"{name!r} is not a kind of widget; expected one of {', '.join(KINDS)}."
        ) from None


def decode_options(kind: str, values: dict[str, Any]) -> Options:
    """Check plain values and turn them into the kind's options.

    Raises DeclarationError that names the option, what was expected and what came.
    """
    try:
        return msgspec.convert(values, kind_of(kind).options)
    except (msgspec.ValidationError, DeclarationError) as error:
        raise DeclarationError(f"{kind}: {error}") from error


def complete_options(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Plain values with every option of the kind in them, for whoever draws the widget.

    Values that do not fit stay as they are; an option that has no default is then missing.
    """
    try:
        return encode_options(decode_options(kind, values))
    except DeclarationError:
        fields = msgspec.structs.fields(kind_of(kind).options) if kind in KINDS else ()
        return {**{field.name: default_of(field) for field in fields}, **values}


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """The default of an option; None if it has none."""
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def encode_options(options: Options) -> dict[str, Any]:
    """The options as plain JSON values, defaults included."""
    return dict(msgspec.to_builtins(options))
