"""One page of figures from finished evaluations: what a reader of the README is sent to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .evaluate import SCALES, SHIFTS_MM, table

PLOTS = ("dice.png", "location_error.png")  # as ``evaluate`` names them; the page shows them from beside itself
REVIEW_PLOTS = ("review_curve.png", "reliability.png")  # as ``suspicion`` names them

FAILED = 0.05  # mean Dice below which a network has not learned an organ at all

Summary = dict[str, Any]


def page(
    title: str,
    shipped: Path,
    same_budget: Path | None = None,
    baseline: Path | None = None,
    surroundings: Path | None = None,
    budgets: str = "",
    review: Path | None = None,
) -> str:
    """Markdown of one bundle's results.

    Every Path is a folder that ``evaluate``, ``baseline`` or ``suspicion`` (``review``) wrote; ``budgets`` says how
    long the compared networks were trained.
    """
    main = _read(shipped)
    parts = [
        f"# {title}",
        "",
        "Written by `python -m training results`; every figure comes from the per-case CSV of `evaluate`.",
        "Whole organs of the test cases only; a contour that is plainly something else is scored like every other.",
        "",
        "## Where the Dice goes: true box, automatic, click",
        "",
        table(main),
        "![Dice of every test case, by organ and way of locating](dice.png)",
        "",
        "## When the location is wrong",
        "",
        *_curves(main),
        "",
        "![Mean Dice against the error of the centre and the scale of the box](location_error.png)",
    ]
    if same_budget and baseline:
        parts += [
            "",
            "## Two stages against one, same budget",
            "",
            *([budgets, ""] if budgets else []),
            *_compared(_read(same_budget), _read(baseline), main),
        ]
    if surroundings:
        parts += ["", "## In a planning CT's surroundings", "", *_surroundings(main, _read(surroundings))]
    if review:
        parts += ["", "## Finding the slices that need a look", "", *_review(review)]
    return "\n".join(parts) + "\n"


def _review(folder: Path) -> list[str]:
    return [
        "Without a reference: the model of `python -m training suspicion`, fitted on validation cases.",
        "",
        (folder / "suspicion.md").read_text(encoding="utf-8"),
        "![Share of the bad slices found against the share of slices read](review_curve.png)",
        "",
        "![Predicted probability against the share of bad slices](reliability.png)",
    ]


def _curves(summary: Summary) -> list[str]:
    head = [f"{m} mm" for m in SHIFTS_MM] + [f"x {s}" for s in SCALES]
    lines = [
        "Mean Dice with the true centre moved by so many mm in a random direction, and the true box scaled.",
        "",
        "| organ | " + " | ".join(head) + " |",
        "|---" * (len(head) + 1) + "|",
    ]
    for organ, e in summary.items():
        values = [e[f"shift_{m}"]["dice"] for m in SHIFTS_MM] + [e[f"scale_{s}"]["dice"] for s in SCALES]
        lines.append(f"| {organ} | " + " | ".join(f"{v:.3f}" for v in values) + " |")
    return lines


def _compared(two: Summary, one: Summary, shipped: Summary) -> list[str]:
    lines = [
        "| organ | n | one stage | two stages, same budget | gain | two stages as shipped | HD95 one | HD95 two |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for organ, e in two.items():
        a, b, c = one[organ]["auto"], e["auto"], shipped[organ]["auto"]
        lines.append(
            f"| {organ} | {e['n']} | {a['dice']:.3f} | {b['dice']:.3f} | {b['dice'] - a['dice']:+.3f} "
            f"| {c['dice']:.3f} | {a['hd95']:.1f} | {b['hd95']:.1f} |"
        )
    if failed := [organ for organ in two if one[organ]["auto"]["dice"] < FAILED]:
        names = ", ".join(failed)
        lines += ["", f"{names}: the one stage had not begun to find it, so that this gain says little of the two."]
    return lines


def _surroundings(plain: Summary, there: Summary) -> list[str]:
    lines = [
        "The same cases in a 500 mm field of view with couch and head-rest, 512 x 512 pixels, shifted, with noise.",
        "",
        "| organ | n | Dice as it is | Dice there | change | located as it is | located there |",
        "|---|---|---|---|---|---|---|",
    ]
    for organ, e in there.items():
        a, b = plain[organ]["auto"], e["auto"]
        lines.append(
            f"| {organ} | {e['n']} | {a['dice']:.3f} | {b['dice']:.3f} | {b['dice'] - a['dice']:+.3f} "
            f"| {a['located']} | {b['located']} |"
        )
    return lines


def _read(folder: Path) -> Summary:
    summary: Summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary
