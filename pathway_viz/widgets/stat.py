"""stat: one number, large, with what it was before."""

from __future__ import annotations

from typing import Annotated, Literal

from pathway_viz.widgets.base import (
    CriticalAt,
    Kind,
    NumberFormat,
    Options,
    Role,
    Size,
    Unit,
    WarningAt,
    column,
    text,
)


class StatOptions(Options, frozen=True, kw_only=True):
    """Options of a stat: the latest value of one column."""

    column: Annotated[str, column(Role.ANY, "Column", "The column whose latest value is shown")]
    unit: Unit = ""
    format: NumberFormat = ""
    delta: Annotated[bool, text("Show change", "The change since the value before")] = False
    delta_good: Annotated[
        Literal["up", "down", "neither"], text("Good direction", "Which change is shown as good")
    ] = "up"
    sparkline: Annotated[bool, text("Sparkline", "The value's recent course behind it")] = False
    warning: WarningAt = None
    critical: CriticalAt = None


STAT = Kind(
    name="stat",
    title="Stat",
    description="One number, large, with its change, course and thresholds",
    options=StatOptions,
    size=Size.SMALL,
)
