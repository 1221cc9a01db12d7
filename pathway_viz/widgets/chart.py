"""chart: lines or areas over time."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

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


class ChartOptions(Options, frozen=True, kw_only=True):
    """Options of a chart: one line per ``y`` column, or one per value of ``series``."""

    y: Annotated[
        tuple[str, ...], column(Role.NUMERIC, "Values", "The columns to draw, a line each")
    ]
    x: Annotated[
        str, column(Role.TIME, "Time", "The column that places a point; empty: its commit")
    ] = ""
    series: Annotated[
        str, column(Role.ANY, "Series", "A column by whose value rows are split into lines")
    ] = ""
    style: Annotated[Literal["line", "area"], text("Style", "How a series is drawn")] = "line"
    stacked: Annotated[bool, text("Stacked", "Draw each series on top of the others")] = False
    unit: Unit = ""
    format: NumberFormat = ""
    y_min: Annotated[float | None, text("Axis from", "Empty: fits the values")] = None
    y_max: Annotated[float | None, text("Axis to", "Empty: fits the values")] = None
    window_s: Annotated[
        Annotated[float, msgspec.Meta(gt=0)] | None,
        text("Seconds shown", "How far back the axis reaches; empty: all"),
    ] = None
    max_points: Annotated[
        int, text("Most points", "Points kept for each series in the browser", ge=2, le=100_000)
    ] = 1000
    warning: WarningAt = None
    critical: CriticalAt = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.y:
            raise DeclarationError("A chart needs at least one column in y.")
        if self.series and len(self.y) > 1:
            raise DeclarationError(
                f"A chart with series={self.series!r} draws one y column, but got {len(self.y)}: "
                f"{', '.join(self.y)}. Leave series out, or keep one of them."
            )


CHART = Kind(
    name="chart",
    title="Chart",
    description="Lines or areas over a time axis that scrolls, one or many series",
    options=ChartOptions,
    size=Size.MEDIUM,
)
