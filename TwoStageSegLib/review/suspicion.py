"""P(slice Dice < 0.7) per slice and why: a small logistic model that the bundle carries as data.

No paper of the five has this (papers/004 names uncertainty as future work). The model was fitted on cases that the
networks were not trained on (``training/suspicion``). Some findings are not left to it: a gap, a mask that touches
the edge of its crop, a volume outside the training range and the wrong side are always flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..manifest import OrganSpec, SuspicionSpec
from ..mask import Mask
from ..volume import Volume
from .evidence import Evidence
from .findings import Basis, OrganReview, SliceFinding
from .signals import Profile, Slices, measure
from .wording import EDGE, GAP, OUTSIDE_VOLUME, SIGNALS, UNSURE, WRONG_SIDE

MOST_REASONS = 2
A_REASON = 0.2
"""Contribution to the log odds from which a signal is named."""

SIDE_MM = 10.0


def judge(mask: Mask, evidence: Evidence, volume: Volume, organ: OrganSpec) -> OrganReview | None:
    """Findings about every slice of ``mask``; None if it is empty or the bundle has nothing to judge it by."""
    spec = organ.review
    if spec is None or (slices := measure(mask, evidence, volume, spec.density_hu, spec.log_ml)) is None:
        return None
    model = spec.quick if evidence.again is None else spec.full
    parts = contributions(slices.values, model)
    p = risk(parts, model, len(slices.index))
    findings = tuple(_finding(organ.name, slices, i, float(p[i]), parts, model) for i in range(len(p)))
    low, high = organ.volume_ml
    review = OrganReview(organ.name, Basis.SUSPICION, findings)
    if not low <= slices.volume_ml <= high:
        return with_note(review, OUTSIDE_VOLUME.format(slices.volume_ml, low, high))
    return review


def contributions(values: Mapping[str, Profile], model: SuspicionSpec) -> dict[str, Profile]:
    """What each signal (``Slices.values``) adds to the log odds of each slice; what is not known adds nothing."""
    return {
        name: np.nan_to_num(weight * (values[name] - centre) / scale)
        for name, (centre, scale, weight) in ((n, (t[0], t[1], t[2])) for n, t in model.terms.items())
    }


def risk(parts: Mapping[str, Profile], model: SuspicionSpec, count: int) -> Profile:
    """P(slice Dice < 0.7) of ``count`` slices from their :func:`contributions`."""
    odds: Profile = sum(parts.values(), np.full(count, model.offset))
    return np.asarray(1 / (1 + np.exp(-odds)))


def _finding(
    organ: str, slices: Slices, i: int, p: float, parts: dict[str, Profile], model: SuspicionSpec
) -> SliceFinding:
    always = [text for text, is_so in ((GAP, slices.gap[i]), (EDGE, slices.edge[i])) if is_so]
    flagged = bool(always) or p >= model.flag_at
    x, y, z = (float(v) for v in slices.middle_lps[i])
    reasons = (always + _words(slices, i, parts, model))[:MOST_REASONS] if flagged else []
    area = float(slices.area_mm2[i])
    return SliceFinding(organ, int(slices.index[i]), (x, y, z), area, p, tuple(reasons), flagged)


def _words(slices: Slices, i: int, parts: dict[str, Profile], model: SuspicionSpec) -> list[str]:
    """The signals that speak most for an error in slice ``i``, in words."""
    found = []
    for name in sorted(parts, key=lambda n: -parts[n][i]):
        if parts[name][i] < A_REASON:
            break
        higher, lower = SIGNALS[name]
        text = higher if slices.values[name][i] > model.terms[name][0] else lower
        if text and text not in found:
            found.append(text)
    return found or [UNSURE]


def with_note(review: OrganReview, note: str) -> OrganReview:
    """The review with something that concerns the whole organ: a note, and a flag on the organ's largest slice."""
    at = max(review.slices, key=lambda s: s.area_mm2).index
    slices = tuple(
        replace(s, flagged=True, reasons=(note, *s.reasons)[:MOST_REASONS]) if s.index == at else s
        for s in review.slices
    )
    return replace(review, slices=slices, notes=(*review.notes, note))


def check_sides(reviews: Iterable[OrganReview]) -> dict[str, OrganReview]:
    """Note organs whose name ends in _L or _R and which lie on the other side of those on the midline, or of their
    own partner if there are none. LPS: the patient's left is at larger x."""
    found = {r.organ: r for r in reviews}
    x = {name: float(np.average([s.centre_lps[0] for s in r.slices], weights=_areas(r))) for name, r in found.items()}
    midline = [v for name, v in x.items() if not name.endswith(("_L", "_R"))]
    for name in found:
        if not name.endswith(("_L", "_R")):
            continue
        partner = name[:-1] + ("R" if name.endswith("L") else "L")
        others = midline or ([x[partner]] if partner in x else [])
        offset = x[name] - float(np.median(others)) if others else 0.0
        if (offset if name.endswith("_R") else -offset) > SIDE_MM:
            found[name] = with_note(found[name], WRONG_SIDE)
    return found


def _areas(review: OrganReview) -> list[float]:
    return [s.area_mm2 + 1e-6 for s in review.slices]
