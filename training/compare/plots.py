"""Pictures of the page: papers/000's Figures 2, 4 and 6, location curves, and where the Dice went."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from TwoStageSegLib.metrics import resampled

from .figures import POOR, shared_cases, shared_organs
from .inputs import Finished

COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#6a4c93", "#8d6b48", "#2e4057")
COLUMNS = 4
POINTS = 100


def draw(systems: list[Finished], folder: Path) -> dict[str, str]:
    """Draw what the systems have figures for; file names by section."""
    made = {"boxes": _boxes, "improvement": _improvement, "profile": _profile, "location_error": _location_error,
            "where": _where}  # fmt: skip
    out = {}
    for key, make in made.items():
        figure = make(systems)
        if figure is not None:
            out[key] = f"{key}.png"
            figure.savefig(folder / out[key], dpi=110)
            plt.close(figure)
    return out


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _grid(organs: tuple[str, ...], plot: Callable[[Axes, str], None], height: float = 2.6) -> Figure:
    """A small plot per organ, legend of the first below."""
    columns = min(COLUMNS, len(organs))
    rows = -(-len(organs) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.1 * columns, height * rows + 0.5), squeeze=False, layout="constrained"
    )
    for cell in axes.flat[len(organs) :]:
        cell.set_visible(False)
    for cell, organ in zip(axes.flat, organs, strict=False):
        plot(cell, organ)
        cell.set_title(organ, fontsize=10)
        cell.grid(alpha=0.3)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    return figure


def _boxes(systems: list[Finished]) -> Figure:
    """Figure 2 of papers/000: a box per system, over the cases that all have; Dice left, HD95 right."""
    organs = shared_organs(systems)
    figure, (left, right) = plt.subplots(1, 2, figsize=(2.2 * len(organs) + 2, 4), layout="constrained")
    width = 0.8 / len(systems)
    for axes, column in ((left, "dice"), (right, "hd95")):
        for i, s in enumerate(systems):
            values = [s.values(column, o, shared_cases(systems, o)) or [] for o in organs]
            places = np.arange(len(organs)) + width * (i - (len(systems) - 1) / 2)
            drawn = axes.boxplot(values, positions=places, widths=0.85 * width, patch_artist=True, showmeans=True,
                                 manage_ticks=False, flierprops={"markersize": 3}, medianprops={"color": "black"},
                                 meanprops={"marker": "D", "markersize": 3, "markerfacecolor": "white",
                                            "markeredgecolor": "black"})  # fmt: skip
            for box in drawn["boxes"]:
                box.set_facecolor(_colour(i))
            axes.plot([], [], color=_colour(i), lw=6, label=s.name)
        axes.set_xticks(range(len(organs)), organs, rotation=20, ha="right")
        axes.grid(axis="y", alpha=0.3)
    left.set_ylim(0, 1)
    left.set_ylabel("Dice (line: median, diamond: mean)")
    right.set_yscale("log")
    right.set_ylabel("HD95, mm (missed: diagonal of the scan)")
    for formatter in (right.yaxis.set_major_formatter, right.yaxis.set_minor_formatter):
        formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    right.tick_params(axis="y", which="both", labelsize=8)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _improvement(systems: list[Finished]) -> Figure:
    """Figure 4 of papers/000: cases by rising Dice of a system, and what the next one adds to each."""
    pairs = list(pairwise(systems))
    organs = shared_organs(systems)
    figure, axes = plt.subplots(2, len(pairs), figsize=(6.2 * len(pairs), 6), squeeze=False, sharex="col",
                                layout="constrained")  # fmt: skip
    for k, (a, b) in enumerate(pairs):
        rows = []
        for organ in organs:
            cases = shared_cases(systems, organ)
            x, y = a.values("dice", organ, cases) or [], b.values("dice", organ, cases) or []
            rows += [(before, after - before, organ) for before, after in zip(x, y, strict=True)]
        rows.sort()
        top, bottom = axes[0, k], axes[1, k]
        for i, organ in enumerate(organs):
            at = [n for n, r in enumerate(rows) if r[2] == organ]
            top.bar(at, [rows[n][0] for n in at], width=1.0, color=_colour(i), label=organ)
            bottom.bar(at, [rows[n][1] for n in at], width=1.0, color=_colour(i))
        top.axhline(POOR, color="black", lw=0.8, ls="--")
        bottom.axvline(sum(r[0] < POOR for r in rows) - 0.5, color="black", lw=0.8, ls="--")
        bottom.axhline(0, color="black", lw=0.8)
        top.set_ylabel(f"Dice of {a.name} (dashed: {POOR})")
        bottom.set_ylabel(f"{b.name} - {a.name}")
        bottom.set_xlabel(f"cases and organs, by Dice of {a.name}")
        top.set_ylim(0, 1)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _profile(systems: list[Finished]) -> Figure | None:
    """Figure 6 of papers/000: slice Dice of every case brought to one length; mean and quartiles.

    Over the slices in which the reference has the organ, so that a place on the axis is the same place for all.
    """
    if not any(s.slices for s in systems):
        return None
    along = np.linspace(0, 100, POINTS)

    def plot(axes: Axes, organ: str) -> None:
        for i, s in enumerate(systems):
            profiles = []
            for case in shared_cases(systems, organ):
                found = s.slices_of(organ, [case]).values()
                rows = sorted((int(r["slice"]), float(r["dice"])) for r in found if r["reference_voxels"])
                if rows:
                    profiles.append(resampled([r[0] for r in rows], [r[1] for r in rows], POINTS))
            if profiles:
                low, high = np.percentile(profiles, [25, 75], axis=0)
                axes.fill_between(along, low, high, color=_colour(i), alpha=0.18, lw=0)
                axes.plot(along, np.mean(profiles, axis=0), color=_colour(i), label=s.name)
        axes.set_ylim(0, 1)
        axes.set_xlabel("feet to head, %", fontsize=8)
        axes.set_ylabel("slice Dice", fontsize=8)

    return _grid(shared_organs(systems), plot)


def _location_error(systems: list[Finished]) -> Figure | None:
    """Mean Dice against the shift of the true centre (the scale of the box is in the page's table)."""
    organs = shared_organs(systems)
    if not any(s.curve(o, "shift_mm") for s in systems for o in organs):
        return None

    def plot(axes: Axes, organ: str) -> None:
        for i, s in enumerate(systems):
            if points := s.curve(organ, "shift_mm"):
                axes.plot(*zip(*points, strict=True), marker="o", ms=3, color=_colour(i), label=s.name)
        axes.set_ylim(0, 1)
        axes.set_xlabel("true centre moved by, mm", fontsize=8)
        axes.set_ylabel("mean Dice", fontsize=8)

    return _grid(organs, plot)


def _where(systems: list[Finished]) -> Figure | None:
    """Mean Dice with the true box, automatic, and with a click, a line per system."""
    ways = {"box": "true box", "auto": "automatic", "click": "click"}
    organs = shared_organs(systems)
    if not any("box" in s.ways for s in systems):
        return None

    def plot(axes: Axes, organ: str) -> None:
        cases = shared_cases(systems, organ)
        for i, s in enumerate(systems):
            found = [s.values("dice", organ, cases, w) for w in ways]
            points = [(k, float(np.mean(v))) for k, v in enumerate(found) if v is not None]
            axes.plot(*zip(*points, strict=True), marker="o", color=_colour(i), label=s.name)
        axes.set_xticks(range(len(ways)), list(ways.values()), fontsize=8)
        axes.set_xlim(-0.3, 2.3)
        axes.set_ylim(0, 1)
        axes.set_ylabel("mean Dice", fontsize=8)

    return _grid(organs, plot)
