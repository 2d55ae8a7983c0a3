"""Figures of the page: of each system, and of each pair of systems on the cases that all have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ..statistics import Paired, holm, mcnemar, paired
from .inputs import Finished

POOR = 0.75
"""Volume Dice below which papers/000 calls a case poor."""


def shared_organs(systems: list[Finished]) -> tuple[str, ...]:
    """Organs in which all systems have a case in common, in the first one's order."""
    return tuple(o for o in systems[0].organs if shared_cases(systems, o))


def shared_cases(systems: list[Finished], organ: str, way: str = "auto") -> tuple[str, ...]:
    """Cases that every system was measured on, in the first one's order."""
    others = [set(s.cases(organ, way)) for s in systems[1:]]
    return tuple(c for c in systems[0].cases(organ, way) if all(c in o for o in others))


def seconds_per_case(system: Finished) -> float | None:
    """Mean over cases of locating once and segmenting every measured organ; None where it was not timed."""
    by_case: dict[str, list[tuple[float, float]]] = {}
    for row in system.rows:
        if row["way"] == "auto":
            if "locate_s" not in row:
                return None
            by_case.setdefault(row["case"], []).append((row["locate_s"], row["segment_s"]))
    return float(np.mean([max(a for a, _ in v) + sum(b for _, b in v) for v in by_case.values()]))


@dataclass(frozen=True)
class Difference:
    """``second - first`` of one figure in one organ, with the two p-values corrected over all that the page asks."""

    figure: str
    first: str
    second: str
    organ: str
    paired: Paired
    t_holm: float | None = None
    wilcoxon_holm: float | None = None


def differences(systems: list[Finished], figure: str) -> list[Difference]:
    """Every pair of systems and every organ; Holm's correction over all of them, for each test by itself."""
    found: list[tuple[str, str, str, Paired]] = []
    for a, b in combinations(systems, 2):
        for organ in shared_organs(systems):
            cases = shared_cases(systems, organ)
            x, y = a.values(figure, organ, cases), b.values(figure, organ, cases)
            if x is not None and y is not None:
                found.append((a.name, b.name, organ, paired(x, y)))
    t = holm([p.t_p for *_, p in found])
    w = holm([p.wilcoxon_p for *_, p in found])
    return [
        Difference(figure, first, second, organ, p, t[i], w[i]) for i, (first, second, organ, p) in enumerate(found)
    ]


@dataclass(frozen=True)
class SliceDifference:
    """How many slices are of a kind in only one of two systems, and McNemar's p (Holm: over all that the page asks)."""

    kind: str
    first: str
    second: str
    organ: str
    only_first: int
    only_second: int
    p: float
    holm: float | None = None


def slice_differences(systems: list[Finished]) -> list[SliceDifference]:
    """Missing, wrong-object and extra slices of every pair, slice by slice of the same scan; none without slices."""
    found: list[SliceDifference] = []
    for a, b in combinations(systems, 2):
        if not a.slices or not b.slices:
            continue
        for organ in shared_organs(systems):
            cases = shared_cases(systems, organ)
            one, two = a.slices_of(organ, cases), b.slices_of(organ, cases)
            for kind in ("missing", "wrong object", "extra"):
                first = {k for k, r in one.items() if r["kind"] == kind}
                second = {k for k, r in two.items() if r["kind"] == kind}
                counts = len(first - second), len(second - first)
                found.append(SliceDifference(kind, a.name, b.name, organ, *counts, mcnemar(*counts)))
    return [replace(d, holm=p) for d, p in zip(found, holm([d.p for d in found]), strict=True)]
