"""gauge: one number between two bounds."""

from __future__ import annotations

from typing import Annotated

from pathway_viz.errors import DeclarationError
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


class GaugeOptions(Options, frozen=True, kw_only=True):
    """Options of a gauge: the latest value of one numeric column on a scale."""

    column: Annotated[str, column(Role.NUMERIC, "Column", "The column whose latest value is shown")]
    min: Annotated[float, text("Minimum", "Where the scale begins")] = 0.0
    max: Annotated[float, text("Maximum", "Where the scale ends")] = 100.0
    unit: Unit = ""
    format: NumberFormat = ""
    warning: WarningAt = None
    critical: CriticalAt = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.min < self.max:
            raise DeclarationError(
                f"A gauge needs min < max, but got min={self.min:g} and max={self.max:g}."
            )


GAUGE = Kind(
    name="gauge",
    title="Gauge",
    description="One number between a minimum and a maximum, with thresholds",
    options=GaugeOptions,
    size=Size.SMALL,
)
