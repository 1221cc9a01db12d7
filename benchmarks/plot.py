"""The plots of docs/performance.md."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

INK, LINE = "#5b6472", "#2f54c8"
LABELS = {
    "viewers": ("viewers, 10 messages of 512 bytes a second each", "linear"),
    "updates/s": ("updates/s over 100 keys, 200 viewers", "log"),
}


def draw(found: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """One panel for each slope: what is varied → cores of a node."""
    figure, panels = plt.subplots(1, len(found), figsize=(9, 3.2), layout="constrained")
    for panel, (what, points) in zip(panels, found.items(), strict=True):
        label, scale = LABELS[what]
        panel.plot(*zip(*points, strict=True), color=LINE, marker="o", markersize=4)
        panel.set_xscale(scale)
        panel.set_ylim(bottom=0)
        panel.set_xlabel(label, color=INK)
        panel.set_ylabel("cores of a web node", color=INK)
        panel.grid(color="#dfe3e8", linewidth=0.7)
        panel.tick_params(colors=INK)
        for side in panel.spines.values():
            side.set_visible(False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None}, transparent=False)
