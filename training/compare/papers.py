"""Layouts of the papers, for any systems: Table 1 of papers/000, Tables 3 and 4 of papers/002, location curves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..statistics import paired_t
from .figures import POOR, shared_cases, shared_organs
from .inputs import Finished
from .table import markdown, number, p_value

SIGNIFICANT = 0.05


def first_paper(systems: list[Finished], plots: dict[str, str]) -> str:
    """Table 1, Figures 2, 4 and 6 of papers/000: the systems in the given order, p of each with the next."""
    lines = ["## As papers/000 prints it", "", "Table 1. p: paired two-sided t-test of neighbours, not corrected."]
    for organ in shared_organs(systems):
        cases = shared_cases(systems, organ)
        rows = []
        for i, s in enumerate(systems, 1):
            means = [float(np.mean(s.values(c, organ, cases) or [])) for c in ("dice", "hd95", "volume_ratio")]
            rows.append([f"model{i}: {s.name}", f"{means[0]:.3f}", f"{means[1]:.2f}", f"{means[2]:.2f}"])
        for i, (a, b) in enumerate(pairwise(systems), 1):
            ps = [_t(a, b, c, organ, cases) for c in ("dice", "hd95", "volume_ratio")]
            rows.append([f"p (model{i} vs. model{i + 1})", *map(p_value, ps)])
        lines += ["", f"**{organ}** (n = {len(cases)})", "", *markdown(["", "Dice", "95% HD", "volume ratio"], rows)]
    lines += ["", _picture(plots, "boxes", "Figure 2: Dice and HD95 of every case"), "", *_poor(systems)]
    lines += ["", _picture(plots, "improvement", "Figure 4: Dice of every case and its improvement by the next system")]
    if "profile" in plots:
        lines += ["", _picture(plots, "profile", "Figure 6: mean slice Dice along the reference, feet to head")]
    return "\n".join(lines)


def third_paper(systems: list[Finished]) -> str:
    """Tables 3 and 4 of papers/002: the first system against each other one, automatic and with the true box."""
    first = systems[0]
    lines = [
        "## As papers/002 prints it",
        "",
        f"Tables 3 and 4 ({_split(systems)}). Dice, mean ± standard deviation over *cases* (the paper's is over ten "
        "trainings); bold: significantly higher than the first column (paired t-test, p < 0.05, not corrected).",
    ]
    for second in systems[1:]:
        rows = []
        for organ in shared_organs(systems):
            cases = shared_cases(systems, organ)
            base = first.values("dice", organ, cases)
            cells = [_spread(base, None)]
            cells += [_spread(second.values("dice", organ, cases, way), base) for way in ("auto", "box")]
            rows.append([organ, *cells])
        head = ["", first.name, second.name, f"{second.name}, true box"]
        lines += ["", *markdown(head, rows)]
    return "\n".join(lines)


def where_it_went(systems: list[Finished], plots: dict[str, str]) -> str:
    """True box -> automatic -> click: what locating costs, and what segmenting costs even at the right place."""
    rows = []
    for organ in shared_organs(systems):
        cases = shared_cases(systems, organ)
        for s in systems:
            found = {w: s.values("dice", organ, cases, w) for w in ("box", "auto", "click")}
            box, auto, click = (None if v is None else float(np.mean(v)) for v in found.values())
            if box is None or auto is None:
                continue
            rows.append([
                organ, s.name, *(number(v, 3) for v in (box, auto, click)), f"{1 - box:.3f}", f"{box - auto:+.3f}",
                "-" if click is None else f"{click - auto:+.3f}",
            ])  # fmt: skip
    if not rows:
        return ""
    head = ["organ", "system", "true box", "automatic", "click", "lost in segmenting", "lost in locating",
            "won by a click"]  # fmt: skip
    return "\n".join([
        "## Where the Dice went",
        "",
        "Lost in segmenting: 1 - true box. Lost in locating: true box - automatic. Won by a click: click - automatic.",
        "",
        *markdown(head, rows),
        "",
        _picture(plots, "where", "Mean Dice by way of locating"),
    ])  # fmt: skip


def curves(systems: list[Finished], plots: dict[str, str]) -> str:
    """Mean Dice against the error of the location, as far as it was measured."""
    lines = []
    for kind, name in (("shift_mm", "true centre moved by, mm"), ("box_scale", "true box scaled by")):
        rows, head = [], ["organ", "system"]
        for organ in shared_organs(systems):
            for s in systems:
                if points := s.curve(organ, kind):
                    head = ["organ", "system", *(f"{x:g}" for x, _ in points)]
                    rows.append([organ, s.name, *(f"{y:.3f}" for _, y in points)])
        if rows:
            lines += ["", f"Mean Dice, {name}:", "", *markdown(head, rows)]
    if not lines:
        return ""
    picture = _picture(plots, "location_error", "Mean Dice against the error of the centre and the scale of the box")
    return "\n".join(["## When the location is wrong", *lines, "", picture])


def _poor(systems: list[Finished]) -> list[str]:
    """papers/000: the fine centre won 5.5 % in cases below 0.75 and 0.3 % in the others."""
    rows = []
    for a, b in pairwise(systems):
        for organ in shared_organs(systems):
            cases = shared_cases(systems, organ)
            x, y = (np.asarray(s.values("dice", organ, cases) or []) for s in (a, b))
            cells = []
            for chosen in (x < POOR, x >= POOR):
                cells += [str(int(chosen.sum())), f"{(y - x)[chosen].mean():+.3f}" if chosen.any() else "-"]
            rows.append([a.name, b.name, organ, *cells])
    head = ["first", "second", "organ", f"n below {POOR}", "gain", f"n from {POOR}", "gain"]
    return ["Gain of the second in cases that the first draws poorly, and in the others:", "", *markdown(head, rows)]


def _t(a: Finished, b: Finished, column: str, organ: str, cases: tuple[str, ...]) -> float | None:
    x, y = a.values(column, organ, cases), b.values(column, organ, cases)
    return None if x is None or y is None else paired_t(x, y)


def _spread(values: list[float] | None, base: list[float] | None) -> str:
    if values is None:
        return "-"
    text = f"{np.mean(values):.4f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.4f}"
    p = None if base is None else paired_t(base, values)
    higher = base is not None and np.mean(values) > np.mean(base)
    return f"**{text}**" if higher and p is not None and p < SIGNIFICANT else text


def _split(systems: list[Finished]) -> str:
    splits = dict.fromkeys(str(s.about["split"]) for s in systems if s.about.get("split"))
    return " and ".join(f"{s} cases" for s in splits) or "split not recorded"


def _picture(plots: dict[str, str], key: str, text: str) -> str:
    return f"![{text}]({plots[key]})"
