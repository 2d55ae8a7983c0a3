"""The views' ablation as a table: means per organ, and the learned fusion against its best view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from TwoStageSegLib.systems.views import VIEWS

from ...statistics import paired

LEARNED, EQUAL = "learned", "equal"
WAYS = (*VIEWS, EQUAL, LEARNED)
"""The views alone, all with equal weights, all with the learned ones."""

Row = dict[str, float | str]
Figures = dict[str, dict[str, Any]]


def summary(rows: Sequence[Row], organs: Sequence[str]) -> Figures:
    """Per organ, and over all of them: n, mean and standard deviation of every way, and the learned fusion against the
    view that is best on the same cases (paired, Wilcoxon): chosen by the same figures, so it has the advantage."""
    groups = {organ: [r for r in rows if r["organ"] == organ] for organ in organs} | {"all": list(rows)}
    out: Figures = {}
    for name, group in groups.items():
        if not group:
            continue
        values = {way: np.array([float(r[way]) for r in group]) for way in WAYS}
        best = max(VIEWS, key=lambda view: float(values[view].mean()))
        entry: dict[str, Any] = {"n": len(group), "best_view": best}
        entry |= {way: [float(v.mean()), float(v.std())] for way, v in values.items()}
        for other in (best, EQUAL):
            found = paired(values[other], values[LEARNED])
            entry["over_best_view" if other == best else "over_equal"] = {
                "difference": found.mean_difference,
                "interval": found.interval,
                "wilcoxon_p": found.wilcoxon_p,
            }
        out[name] = entry
    return out


def table(figures: Figures, about: str) -> str:
    """The summary as Markdown; the best mean of a row is bold."""
    lines = [
        f"Dice on the views' coarse grid, mean +- standard deviation, {about}. Difference: learned fusion minus the "
        "best single view of the row, with its 95 % interval and Wilcoxon's p.",
        "",
        f"| organ | n | {' | '.join(WAYS)} | difference | p |",
        "|---|---|" + "---|" * (len(WAYS) + 2),
    ]
    for organ, entry in figures.items():
        means = {way: entry[way] for way in WAYS}
        top = max(round(m[0], 3) for m in means.values())
        cells = [f"{m:.3f} +- {s:.3f}" for m, s in means.values()]
        bold = [f"**{c}**" if float(c.split()[0]) == top else c for c in cells]
        lines.append(f"| {organ} | {entry['n']} | {' | '.join(bold)} | {_difference(entry['over_best_view'])} |")
    return "\n".join(lines) + "\n"


def _difference(over: Any) -> str:
    interval = over["interval"]
    between = f" ({interval[0]:+.3f} to {interval[1]:+.3f})" if interval is not None else ""
    p = over["wilcoxon_p"]
    return f"{over['difference']:+.3f}{between} | " + ("-" if p is None else f"{p:.2g}")
