"""``python -m training overview A B ...``: every system beside every other, and what the papers claim, tested."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from TwoStageSegLib.metrics import HD95_DEFINITION
from TwoStageSegLib.outputs.atomic import atomic_file

from ..compare.figures import seconds_per_case
from ..compare.inputs import Finished, read
from ..compare.table import markdown, number
from .claims import Views, claims, table


def overview(folders: Sequence[str], budgets: Sequence[str], views: Path | None, to: Path, title: str) -> Path:
    """Write the page. Unlike ``compare`` it also takes systems that have no organ in common.

    Parameters
    ----------
    folders : ``DIR`` or ``NAME=DIR`` of ``evaluate`` or ``baseline``. budgets : ``NAME=how long it was trained``.
    views : JSON of ``training.methods.multi_view.ablation``, for the claim of papers/003.
    """
    systems = [read(folder) for folder in folders]
    told = dict(text.split("=", 1) for text in budgets)
    votes: Views | None = json.loads(views.read_text(encoding="utf-8")) if views else None
    text = "\n\n".join([_head(title, systems, told), _organs(systems), table(claims(systems, votes))]) + "\n"
    to.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(to) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return to


def _head(title: str, systems: list[Finished], budgets: dict[str, str]) -> str:
    rows = []
    for s in systems:
        a = s.about
        rows.append([
            s.name,
            str(a.get("system", "-")),
            f"{a['parameters'] / 1e6:.2f} M" if a.get("parameters") else "-",
            number(seconds_per_case(s), 2),
            number(a.get("peak_mb"), 0),
            budgets.get(s.name, str(a.get("training", "-"))),
        ])  # fmt: skip
    return "\n".join([
        f"# {title}",
        "",
        "Written by `python -m training overview` from the CSV files of `evaluate` and `baseline`. Whole organs only; "
        "a missed organ counts with Dice 0 and, in HD95, with the diagonal of the scan.",
        f"HD95: {HD95_DEFINITION}. Research software: every contour must be reviewed.",
        "",
        *markdown(["system", "paper's", "parameters", "s per case", "peak MB", "trained"], rows),
        "",
        "Seconds (locating once, segmenting every organ of the case) and memory are of the process that evaluated, one "
        "after the other on a shared machine: an order of magnitude, not a benchmark.",
    ])  # fmt: skip


def _organs(systems: list[Finished]) -> str:
    organs = dict.fromkeys(organ for s in systems for organ in s.organs)
    rows = []
    for organ in organs:
        for s in systems:
            cases = s.cases(organ)
            if not cases:
                continue
            means = {way: _mean(s, "dice", organ, way) for way in ("auto", "box", "click")}
            located = [r["status"] != "not located" for r in s.rows if r["organ"] == organ and r["way"] == "auto"]
            rows.append([
                organ,
                s.name,
                str(len(cases)),
                *(number(v, 3) for v in means.values()),
                number(_mean(s, "hd95", organ, "auto"), 1),
                number(_mean(s, "volume_ratio", organ, "auto"), 2),
                *(number(_mean(s, f"{kind}_slices", organ, "auto"), 1) for kind in ("missing", "wrong", "extra")),
                f"{sum(located)}/{len(cases)}" if "box" in s.ways else "-",
            ])  # fmt: skip
    head = ["organ", "system", "n", "Dice automatic", "true box", "click 5 mm off", "HD95 mm", "volume ratio",
            "missing slices", "wrong object", "extra slices", "located"]  # fmt: skip
    return "\n".join([
        "## Every organ, every system",
        "",
        *markdown(head, rows),
        "",
        "Slices: mean count per case. True box: `slice-centre`, `slice-filter` and the large organs of `focus` keep to "
        "its slices, the others only centre their crop on it: compare that column within one system.",
    ])  # fmt: skip


def _mean(system: Finished, column: str, organ: str, way: str) -> float | None:
    values = system.values(column, organ, system.cases(organ, way), way)
    return None if values is None else float(np.mean(values))
