"""Pictures of an evaluation: Dice by way of locating, and the location-error curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from .evaluate import SCALES, SHIFTS_MM
from .measure import Row

WAYS = {"box": "true box", "auto": "automatic", "click": "click, 5 mm off"}
COLOURS = {"box": "#1b6ca8", "auto": "#d1495b", "click": "#edae49"}


def plot_dice(rows: list[Row], path: Path) -> None:
    """Every case's Dice as a point, per organ and way of locating, with the median."""
    organs = list(dict.fromkeys(r["organ"] for r in rows))
    figure, axes = plt.subplots(figsize=(max(5.0, 1.7 * len(organs) + 1), 4), layout="constrained")
    for i, organ in enumerate(organs):
        for k, way in enumerate(WAYS):
            values = [r["dice"] for r in rows if r["organ"] == organ and r["way"] == way]
            x = i + 0.26 * (k - 1)
            axes.scatter(
                [x] * len(values), values, s=9, alpha=0.5, color=COLOURS[way], label=WAYS[way] if i == 0 else None
            )
            middle = sorted(values)[len(values) // 2]
            axes.plot([x - 0.1, x + 0.1], [middle, middle], color="black", lw=2)
    axes.set_xticks(range(len(organs)), organs)
    axes.set_ylabel("Dice (bar: median)")
    axes.set_ylim(0, 1)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower left", ncols=3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_curves(summary: dict[str, Any], path: Path) -> None:
    """Mean Dice against the error of the centre and the scale of the box, a line per organ."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4), sharey=True, layout="constrained")
    for organ, entry in summary.items():
        left.plot(SHIFTS_MM, [entry[f"shift_{m}"]["dice"] for m in SHIFTS_MM], marker="o", label=organ)
        right.plot(SCALES, [entry[f"scale_{s}"]["dice"] for s in SCALES], marker="o", label=organ)
    left.set_xlabel("true centre moved by, mm")
    right.set_xlabel("true box scaled by")
    left.set_ylabel("mean Dice")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(*right.get_legend_handles_labels(), loc="outside right center")
    figure.savefig(path, dpi=110)
    plt.close(figure)
