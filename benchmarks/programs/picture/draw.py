"""Draws seconds and peak memory against size: `draw.py FILE`, with the curves on standard input."""

from __future__ import annotations

import json
import sys

import matplotlib as mpl
from matplotlib import pyplot as plt

mpl.use("Agg")
# So that the same figures make the same file.
mpl.rcParams["svg.hashsalt"] = "benchmarks"


def main() -> None:
    """Reads the curves, by name, and writes the picture."""
    curves = json.load(sys.stdin)
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for axis, field, label in zip(
        axes, ("seconds", "memory"), ("seconds", "peak memory, MB"), strict=True
    ):
        for name, points in curves.items():
            axis.plot(
                [point["rows"] for point in points],
                [point[field] for point in points],
                marker="o",
                markersize=4,
                label=name,
            )
        axis.set(xlabel="transactions", ylabel=label, xscale="log", yscale="log")
        axis.grid(visible=True, which="major", alpha=0.3)
        sizes = sorted({point["rows"] for points in curves.values() for point in points})
        axis.set_xticks(sizes, [f"{size / 1000:,.0f}k" for size in sizes])
        axis.minorticks_off()
        ticks = _ticks(*axis.get_ylim())
        axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(sys.argv[1], metadata={"Date": None} if sys.argv[1].endswith("svg") else None)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from a lowest to a highest one: 1, 2, 5, 10, 20 and so on."""
    steps = [step * 10**power for power in range(-2, 5) for step in (1, 2, 5)]
    return [step for step in steps if low <= step <= high]


if __name__ == "__main__":
    main()
