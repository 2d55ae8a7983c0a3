"""What the five papers claim, asked of our own evaluations: figures, number of cases and a verdict.

A claim *holds* if the difference has the paper's sign and p < 0.05 (uncorrected); it is *not decided* with that sign
and a larger p; it *does not hold* with the other sign. Systems are known by the names of their bundles; a claim whose
systems are not there is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from TwoStageSegLib.systems.views import VIEWS

from ..compare.figures import POOR, shared_cases, shared_organs
from ..compare.inputs import Finished
from ..compare.table import markdown, p_value
from ..methods.multi_view.ablation_table import LEARNED
from ..statistics import mcnemar, paired_t

SIGNIFICANT = 0.05
TABLE_6 = {
    "hn-oar-ct-focus-v1": "the adversarial shape loss helps small organs",
    "hn-oar-ct-focus-plain": "an adversarial autoencoder helps small organs more than a plain one",
    "hn-oar-ct-focus-raw": "S-Net's features beside the image help small organs",
}
"""What is left out, and what papers/004 says that it is worth."""

Views = Mapping[str, Any]
"""What the ablation of ``multi-view`` writes: ``rows`` with ``case``, ``organ`` and the coarse Dice of every way."""


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper and what came out here."""

    paper: str
    text: str
    found: str
    verdict: str


def claims(systems: list[Finished], views: Views | None = None) -> list[Claim]:
    """Every claim that the systems at hand can answer, in the order of the papers."""
    by_bundle = {str(s.about.get("name", s.name)): s for s in systems}
    asked: list[tuple[Callable[..., list[Claim]], tuple[str, ...]]] = [
        (_objects, ("esophagus-ct-centre-chunk", "esophagus-ct-centre-coarse")),
        (_fine, ("esophagus-ct-centre-coarse", "esophagus-ct-centre")),
        (_filter, ("gtv-ct-filter-off", "gtv-ct-filter")),
        (_filter, ("larynx-ct-filter-off", "larynx-ct-filter")),
        (_two_stages, ("one stage", "two stages")),
        (_true_box, ("hn-oar-ct",)),
        *((partial(_small_organs, text), (without, "hn-oar-ct-focus")) for without, text in TABLE_6.items()),
    ]
    named = {s.name: s for s in systems} | by_bundle
    found = [c for ask, names in asked if all(n in named for n in names) for c in ask(*(named[n] for n in names))]
    return sorted([*found, *(_fusion(views) if views else [])], key=lambda claim: claim.paper)


def table(found: list[Claim]) -> str:
    """Markdown."""
    rows = [[c.paper, c.text, c.found, f"**{c.verdict}**"] for c in found]
    head = ["paper", "claim", "here", "verdict"]
    return "\n".join(["## What the papers claim", "", *markdown(head, rows), "", (__doc__ or "").split("\n\n", 1)[1]])


def _verdict(difference: float, p: float | None) -> str:
    if difference <= 0:
        return "does not hold"
    return "holds" if p is not None and p < SIGNIFICANT else "not decided"


def _objects(volume: Finished, slices: Finished) -> list[Claim]:
    """papers/000: the 3D network draws fewer wrong objects, the 2D network misses fewer slices."""
    out = []
    for kind, fewer, more, text in (
        ("wrong object", volume, slices, "3D draws fewer wrong objects than 2D"),
        ("missing", slices, volume, "3D misses more slices than 2D"),
    ):
        (organ,) = shared_organs([volume, slices])
        cases = shared_cases([volume, slices], organ)
        a, b = ({k for k, r in s.slices_of(organ, cases).items() if r["kind"] == kind} for s in (fewer, more))
        p = mcnemar(len(a - b), len(b - a))
        found = f"{fewer.name} {len(a)}, {more.name} {len(b)} slices, n = {len(cases)}, McNemar p {p_value(p)}"
        out.append(Claim("000", text, found, _verdict(len(b) - len(a), p)))
    return out


def _fine(coarse: Finished, fine: Finished) -> list[Claim]:
    (organ,) = shared_organs([coarse, fine])
    a, b, n = _pair(coarse, fine, organ)
    poor = a < POOR
    gains = [float(np.mean((b - a)[part])) if part.any() else float("nan") for part in (poor, ~poor)]
    found = (
        f"{gains[0]:+.3f} in {poor.sum()} cases below {POOR}, {gains[1]:+.3f} in the other {(~poor).sum()}; "
        f"all {np.mean(b - a):+.3f}, n = {n}, p {p_value(paired_t(a, b))}"
    )
    most = gains[0] > gains[1] or not (~poor).any()
    text = "fine centres help, poor cases most"
    return [Claim("000", text, found, _verdict(float(np.mean(b - a)) if most else -1.0, paired_t(a, b)))]


def _filter(alone: Finished, filtered: Finished) -> list[Claim]:
    (organ,) = shared_organs([alone, filtered])
    a, b, n = _pair(alone, filtered, organ)
    extra, fewer, _ = _pair(alone, filtered, organ, "extra_slices")
    found = (
        f"{organ}: Dice {a.mean():.3f} to {b.mean():.3f}, slices drawn beyond the target {extra.mean():.1f} to "
        f"{fewer.mean():.1f} per case, n = {n}, p {p_value(paired_t(a, b))}"
    )
    text = "the slice filter raises Dice by cutting false-positive slices"
    return [Claim("001", text, found, _verdict(float(np.mean(b - a)), paired_t(a, b)))]


def _two_stages(one: Finished, two: Finished) -> list[Claim]:
    organs = shared_organs([one, two])
    gains, sizes = [], []
    for organ in organs:
        a, b, _ = _pair(one, two, organ)
        gains.append(float(np.mean(b - a)))
        sizes.append(float(np.mean(two.values("true_ml", organ, shared_cases([one, two], organ)) or [0.0])))
    from scipy import stats

    rho, p = stats.spearmanr(sizes, gains)
    parts = ", ".join(f"{o} ({ml:.0f} ml) {g:+.3f}" for o, ml, g in sorted(zip(organs, sizes, gains, strict=True)))
    found = f"{parts}; Spearman of size and gain {rho:+.2f}, {len(organs)} organs, p {p_value(float(p))}"
    text = "two stages beat one, most for small organs"
    return [Claim("002", text, found, _verdict(-float(rho) if np.mean(gains) > 0 else -1.0, float(p)))]


def _true_box(system: Finished) -> list[Claim]:
    """The mean over a case's organs, so that a case counts once."""
    ways = ("auto", "box")
    by_case: dict[str, dict[str, list[float]]] = {}
    for row in system.rows:
        if row["way"] in ways:
            by_case.setdefault(row["case"], {w: [] for w in ways})[row["way"]].append(row["dice"])
    a, b = (np.array([np.mean(found[w]) for found in by_case.values()]) for w in ways)
    found = f"mean of a case's organs {a.mean():.3f} to {b.mean():.3f}, n = {len(a)}, p {p_value(paired_t(a, b))}"
    return [Claim("002", "the true box beats automatic location", found, _verdict(np.mean(b - a), paired_t(a, b)))]


def _small_organs(text: str, without: Finished, with_: Finished) -> list[Claim]:
    """A row of papers/004's Table 6, for the organs that have a network of their own beside S-Net (``segment``)."""
    out = []
    roles = with_.about.get("organ_networks", {})
    for organ in (o for o in shared_organs([without, with_]) if roles.get(o) != "segment"):
        a, b, n = _pair(without, with_, organ)
        found = f"{organ}: Dice {a.mean():.3f} to {b.mean():.3f}, n = {n}, p {p_value(paired_t(a, b))}"
        out.append(Claim("004", text, found, _verdict(float(np.mean(b - a)), paired_t(a, b))))
    return out


def _fusion(views: Views) -> list[Claim]:
    """The best view of each organ is chosen on the same cases, which favours it; a case counts once."""
    rows = views["rows"]
    best: dict[str, str] = {}
    parts = []
    for organ in dict.fromkeys(row["organ"] for row in rows):
        own = [row for row in rows if row["organ"] == organ]
        means = {way: float(np.mean([row[way] for row in own])) for way in (*VIEWS, LEARNED)}
        best[organ] = max(VIEWS, key=lambda view: means[view])
        parts.append(f"{organ} {means[best[organ]]:.3f} ({best[organ]}) to {means[LEARNED]:.3f}")
    cases = dict.fromkeys(row["case"] for row in rows)
    a, b = (
        np.array([np.mean([row[way or best[row["organ"]]] for row in rows if row["case"] == case]) for case in cases])
        for way in ("", LEARNED)
    )
    p = paired_t(a, b)
    found = f"coarse Dice: {', '.join(parts)}; mean of a case's organs {a.mean():.3f} to {b.mean():.3f}, "
    found += f"n = {len(a)}, p {p_value(p)}"
    return [Claim("003", "fusion beats the best single view", found, _verdict(float(np.mean(b - a)), p))]


def _pair(first: Finished, second: Finished, organ: str, column: str = "dice") -> tuple[np.ndarray, np.ndarray, int]:
    cases = shared_cases([first, second], organ)
    a, b = (np.asarray(s.values(column, organ, cases), float) for s in (first, second))
    return a, b, len(cases)
