"""The figures of the suspicion on test cases as data, table and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from TwoStageSegLib.manifest import ReviewSpec
from TwoStageSegLib.review.findings import BAD_DICE

from .measure import (
    READ,
    Ranking,
    area,
    calibration_error,
    discrimination,
    found_by,
    gain,
    most_possible,
    review_curve,
    suspicion,
)
from .slices import Table

WAYS = {
    "full": "suspicion",
    "quick": "suspicion, without the second look",
    "entropy": "mean entropy",
    "area_step": "area change between slices",
}
COLOURS = {"full": "#d1495b", "quick": "#edae49", "entropy": "#1b6ca8", "area_step": "#7a8b99"}
ALL = "all organs"


def rankings(tables: dict[str, Table], specs: dict[str, ReviewSpec]) -> dict[str, dict[str, Ranking]]:
    """Every way of finding bad slices, per organ and for all organs together."""
    found: dict[str, dict[str, Ranking]] = {}
    for organ, t in tables.items():
        scores = {
            "full": suspicion(t, specs[organ].full),
            "quick": suspicion(t, specs[organ].quick),
            "entropy": t.entropy,
            "area_step": np.where(t.judged, t.values["area_step"], 0.0),
        }
        found[organ] = {way: Ranking(t.case, t.bad, s) for way, s in scores.items()}
    organs = list(found.values())
    found[ALL] = {
        way: Ranking(
            np.concatenate([o[way].case for o in organs]),
            np.concatenate([o[way].bad for o in organs]),
            np.concatenate([o[way].score for o in organs]),
        )
        for way in WAYS
    }
    return found


def figures(found: dict[str, dict[str, Ranking]]) -> dict[str, Any]:
    """Per organ: slices, bad share, what each way finds, area and discrimination, calibration, gains with intervals."""
    out: dict[str, Any] = {}
    for organ, ways in found.items():
        full = ways["full"]
        out[organ] = {
            "slices": len(full.bad),
            "bad": round(float(full.bad.mean()), 4),
            "most_possible": round(most_possible(full), 3),
            "calibration_error": round(calibration_error(full.score, full.bad), 4),
        }
        for way, ranking in ways.items():
            out[organ][way] = {
                "found": round(found_by(ranking), 4),
                "area": round(area(ranking), 4),
                "auc": round(discrimination(ranking), 4),
            }
        for other in ("entropy", "area_step", "quick"):
            out[organ][f"gain_over_{other}"] = [round(v, 4) for v in gain(full, ways[other])]
    return out


def table(values: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"Bad: slice Dice below {BAD_DICE}, missing or extra. Read: the {READ:.0%} of slices with the highest score.",
        "Gain: how many more of the bad slices are found, mean and 95 % interval, bootstrapped over cases.",
        "",
        "| organ | slices | bad | found (at most) | without second look | entropy | area change | gain over entropy "
        "| gain over area change | area under the curve | AUC | calibration error |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for organ, e in values.items():
        shares = " | ".join(f"{e[w]['found']:.2f}" for w in ("quick", "entropy", "area_step"))
        gains = " | ".join(
            "{:+.2f} ({:+.2f} to {:+.2f})".format(*e[f"gain_over_{o}"]) for o in ("entropy", "area_step")
        )
        found = f"{e['full']['found']:.2f} ({e['most_possible']:.2f})"
        lines.append(
            f"| {organ} | {e['slices']} | {e['bad']:.2f} | {found} | {shares} "
            f"| {gains} | {e['full']['area']:.2f} | {e['full']['auc']:.2f} | {e['calibration_error']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def write(folder: Path, found: dict[str, dict[str, Ranking]]) -> dict[str, Any]:
    """``suspicion.json``, ``suspicion.md``, ``review_curve.png`` and ``reliability.png``; returns the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    values = figures(found)
    (folder / "suspicion.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    (folder / "suspicion.md").write_text(table(values), encoding="utf-8")
    plot_curves(found, folder / "review_curve.png")
    plot_reliability(found, folder / "reliability.png")
    return values


def plot_curves(found: dict[str, dict[str, Ranking]], path: Path) -> None:
    """Share of bad slices found against share read, a panel per organ."""
    columns = (len(found) + 1) // 2
    figure, axes = plt.subplots(
        2, columns, figsize=(3.1 * columns, 6.2), sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    for axis, (organ, ways) in zip(axes.ravel(), found.items(), strict=False):
        for way, ranking in ways.items():
            axis.plot(*review_curve(ranking), color=COLOURS[way], label=WAYS[way], lw=1.8 if way == "full" else 1.1)
        axis.plot([0, most_share(ways["full"]), 1], [0, 1, 1], color="black", lw=0.7, ls=":", label="perfect")
        axis.axvline(READ, color="black", lw=0.6, alpha=0.4)
        axis.set_title(organ, fontsize=10)
        axis.grid(alpha=0.3)
    for axis in axes.ravel()[len(found) :]:
        axis.set_visible(False)
    figure.supxlabel("share of slices read, most suspicious first")
    figure.supylabel("share of bad slices found")
    figure.legend(*axes.ravel()[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def most_share(ranking: Ranking) -> float:
    """Share of slices that perfect knowledge would have to read."""
    return max(1e-6, float(ranking.bad.mean()))


def plot_reliability(found: dict[str, dict[str, Ranking]], path: Path) -> None:
    """Predicted probability against the share of bad slices, ten bins of equal count, a line per organ."""
    figure, axis = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
    axis.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
    for organ, ways in found.items():
        r = ways["full"]
        parts = [i for i in np.array_split(np.argsort(r.score, kind="stable"), 10) if len(i)]
        x, y = [r.score[i].mean() for i in parts], [r.bad[i].mean() for i in parts]
        bold = organ == ALL
        axis.plot(x, y, marker="o", ms=5 if bold else 3, lw=2.4 if bold else 1, alpha=1 if bold else 0.6, label=organ)
    axis.set_xlabel(f"predicted probability that slice Dice is below {BAD_DICE}")
    axis.set_ylabel("share of slices for which it is")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
