"""The page: sections in the order in which a reader asks."""

from __future__ import annotations

import numpy as np

from TwoStageSegLib.metrics import HD95_DEFINITION

from ..statistics import bootstrap_interval
from .figures import differences, seconds_per_case, shared_cases, shared_organs, slice_differences
from .inputs import Finished
from .papers import curves, first_paper, third_paper, where_it_went
from .table import interval, markdown, number, p_value

FIGURES = {"dice": "Dice", "hd95": "HD95, mm", "surface_dice": "surface Dice", "volume_ratio": "volume ratio"}


def page(title: str, systems: list[Finished], plots: dict[str, str]) -> str:
    """Markdown of everything; ``plots`` are file names beside the page by section."""
    sections = [
        _head(title, systems),
        _organs(systems),
        _statistics(systems),
        _slices(systems),
        where_it_went(systems, plots),
        curves(systems, plots),
        first_paper(systems, plots),
        third_paper(systems),
    ]
    return "\n\n".join(s for s in sections if s) + "\n"


def _head(title: str, systems: list[Finished]) -> str:
    rows = []
    for s in systems:
        auto = [r for r in s.rows if r["way"] == "auto"]
        a, seconds = s.about, seconds_per_case(s)
        rows.append([
            s.name,
            " ".join(str(a[k]) for k in ("name", "version", "system") if a.get(k)) or "-",
            str(len({r["case"] for r in auto})),
            f"{a['parameters'] / 1e6:.2f} M" if a.get("parameters") else "-",
            number(seconds, 2),
            number(a.get("peak_mb"), 0),
            str(a.get("device", "-")),
        ])  # fmt: skip
    return "\n".join([
        f"# {title}",
        "",
        "Written by `python -m training compare`; every figure comes from the CSV files of `evaluate` and `baseline`.",
        "Whole organs only, and only cases that every system has. A missed organ counts with Dice 0 and, in HD95, with "
        "the diagonal of the scan.",
        f"HD95: {HD95_DEFINITION}. Volume ratio: result / reference.",
        "",
        *markdown(
            ["system", "what", "cases", "parameters", "s per case", "peak memory MB", "device"], rows
        ),
        "",
        "Seconds: locating once and segmenting each organ of the case. Peak memory: the process that evaluated, with "
        "the cases it had loaded; `-` where it was not recorded.",
    ])  # fmt: skip


def _organs(systems: list[Finished]) -> str:
    rows = []
    for organ in shared_organs(systems):
        cases = shared_cases(systems, organ)
        for s in systems:
            rows.append([organ, s.name, str(len(cases)), *_figures(s, organ, cases)])
    head = ["organ", "system", "n", "Dice [95 % interval]", "median", "HD95 mm", "surface Dice", "volume ratio",
            "missing slices", "wrong object", "extra slices", "location error mm", "located"]  # fmt: skip
    return "\n".join([
        "## Per organ, located automatically",
        "",
        *markdown(head, rows),
        "",
        "Interval: bootstrap of the mean over cases. Surface Dice at each organ's tolerance. Volume ratio: mean "
        "(median). Missing and wrong object: of the slices in which the reference has the organ; extra: of those in "
        "which either has it. Location error: of the cases that have a place.",
    ])  # fmt: skip


def _figures(s: Finished, organ: str, cases: tuple[str, ...]) -> list[str]:
    def of(column: str) -> list[float] | None:
        return s.values(column, organ, cases)

    def share(count: str, total: str) -> str:
        found, every = of(count), of(total)
        return f"{sum(found):.0f}/{sum(every):.0f}" if found is not None and every is not None else "-"

    dice, ratio, surface = of("dice") or [], of("volume_ratio") or [], of("surface_dice")
    errors = [e for e in of("centre_error_mm") or [] if np.isfinite(e)]
    located = sum(r["status"] != "not located" for r in s.rows if _is(r, organ, cases))
    return [
        f"{np.mean(dice):.3f} {interval(bootstrap_interval(dice), 3)}",
        number(float(np.median(dice)), 3),
        number(float(np.mean(of("hd95") or [])), 1),
        number(None if surface is None else float(np.mean(surface)), 3),
        f"{np.mean(ratio):.2f} ({np.median(ratio):.2f})",
        share("missing_slices", "reference_slices"),
        share("wrong_slices", "reference_slices"),
        share("extra_slices", "either_slices"),
        number(float(np.mean(errors)) if errors else None, 1),
        f"{located}/{len(cases)}" if errors else "-",  # a single stage locates nothing
    ]


def _is(row: dict, organ: str, cases: tuple[str, ...]) -> bool:
    return row["organ"] == organ and row["way"] == "auto" and row["case"] in cases


def _statistics(systems: list[Finished]) -> str:
    lines = [
        "## Is the difference real",
        "",
        "Paired over cases, second minus first; intervals by bootstrap. `Holm`: corrected over all rows of its table. "
        "No correction between tables.",
    ]
    for figure, name in FIGURES.items():
        found = differences(systems, figure)
        if not found:
            continue
        rows = [
            [d.first, d.second, d.organ, str(d.paired.n),
             f"{d.paired.mean_difference:+.3f} {interval(d.paired.interval, 3)}",
             p_value(d.paired.t_p), p_value(d.t_holm), p_value(d.paired.wilcoxon_p), p_value(d.wilcoxon_holm)]
            for d in found
        ]  # fmt: skip
        head = ["first", "second", "organ", "n", "difference", "t-test p", "Holm", "Wilcoxon p", "Holm"]
        lines += ["", f"### {name}", "", *markdown(head, rows)]
    return "\n".join(lines)


def _slices(systems: list[Finished]) -> str:
    found = slice_differences(systems)
    if not found:
        return ""
    rows = [
        [d.first, d.second, d.organ, d.kind, str(d.only_first), str(d.only_second), p_value(d.p), p_value(d.holm)]
        for d in found
    ]
    return "\n".join([
        "## Slices that one of two systems gets wrong",
        "",
        "McNemar's test on the same slices (exact for few). Neighbouring slices of one scan are not independent, so "
        "these p-values are too small; papers/000 counts in the same way.",
        "",
        *markdown(["first", "second", "organ", "kind", "only first", "only second", "p", "Holm"], rows),
    ])  # fmt: skip
