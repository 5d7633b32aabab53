"""A bar chart of rates and of CPU a job, as PNG: `python chart.py FIGURES.json OUT.png`."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OURS, OTHERS = "#1f6f54", "#9aa5b1"


def main() -> None:
    """Draw it."""
    rows = json.loads(Path(sys.argv[1]).read_text())
    names = [row["name"] for row in rows]
    colours = [OURS if name.startswith("Anula") else OTHERS for name in names]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.5 * len(rows) + 1.2), sharey=True)
    bars = left.barh(names, [row["rate"] for row in rows], color=colours)
    left.bar_label(bars, fmt="%.0f", padding=3)
    left.set_title("jobs a second (median)")
    bars = right.barh(names, [row["cpu_ms"] for row in rows], color=colours)
    right.barh(names, [row["redis_cpu_ms"] for row in rows], left=[row["cpu_ms"] for row in rows], color="#c97b63")
    right.bar_label(bars, fmt="%.1f", padding=3)
    right.set_title("CPU a job, ms: worker and Redis")
    left.invert_yaxis()
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.12)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=110)


if __name__ == "__main__":
    main()
