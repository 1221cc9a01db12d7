"""The pipeline side: declare widgets, batch changes, publish them. Knows no Django.

Importing it does not import pathway: only a Pathway table that is given to a widget does.
"""

from __future__ import annotations

from pathway_viz.pipeline.declare import chart, dashboard, gauge, stat, table, title
from pathway_viz.pipeline.handle import Handle
from pathway_viz.pipeline.options import configure
from pathway_viz.pipeline.run import run, start

__all__ = [
    "Handle", "chart", "configure", "dashboard", "gauge", "run", "start", "stat", "table", "title",
]  # fmt: skip
