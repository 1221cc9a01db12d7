"""Live dashboards for streaming data: a Pathway pipeline publishes, browsers watch.

::

    import pathway_viz as pv

    pv.stat(totals, "revenue", title="Revenue", unit="$", delta=True)
    pv.run()

Importing this package does nothing: neither pathway nor Django nor Redis is loaded before it is
needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "1.0.0.dev0"

if TYPE_CHECKING:
    from pathway_viz.pipeline import (
        Handle,
        chart,
        configure,
        dashboard,
        gauge,
        run,
        start,
        stat,
        table,
        title,
    )

__all__ = [
    "Handle", "chart", "configure", "dashboard", "gauge", "run", "start", "stat", "table", "title",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pathway_viz import pipeline

    return getattr(pipeline, name)
