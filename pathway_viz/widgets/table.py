"""table: a topic's rows, live, keyed in place."""

from __future__ import annotations

from typing import Annotated, Literal

from pathway_viz.widgets.base import Kind, Options, Role, Size, column, text

CellFormat = Literal[
    "auto", "text", "integer", "decimal", "percent", "compact", "bytes", "time", "datetime",
    "ago", "duration", "badge", "bar", "code",
]  # fmt: skip


class TableOptions(Options, frozen=True, kw_only=True):
    """Options of a table: which columns, in what order, how many rows."""

    columns: Annotated[
        tuple[str, ...], column(Role.ANY, "Columns", "Which columns, in this order; none: all")
    ] = ()
    sort_by: Annotated[
        str, column(Role.ANY, "Sort by", "The first order of the rows; empty: as they come")
    ] = ""
    descending: Annotated[bool, text("Descending", "Largest first")] = False
    max_rows: Annotated[
        int, text("Most rows", "Rows shown; the first ones in the order", ge=1, le=10_000)
    ] = 100
    formats: Annotated[
        dict[str, CellFormat],
        column(Role.ANY, "Column formats", "How the values of a column are shown"),
    ] = {}


TABLE = Kind(
    name="table",
    title="Table",
    description="Rows that change in place, with sorting and column formats",
    options=TableOptions,
    size=Size.MEDIUM,
)
