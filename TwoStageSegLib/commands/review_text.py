"""What a review found, for scripts (a dictionary for ``--json``) and for the screen (two aligned tables)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import RESEARCH_NOTICE, __version__
from ..model import Model
from ..outputs.review_data import agreement_cells, agreement_json, counts_text, review_json, slice_values
from ..outputs.review_report import Reviewed
from ..review.findings import worst_first
from ..volume import Volume
from .findings import aligned

ROWS = 20
"""Flagged slices that are listed on the screen; the files have them all."""


def as_json(
    volume: Volume, organs: Sequence[Reviewed], record: Mapping[str, Any], notices: Sequence[str]
) -> dict[str, Any]:
    """Everything that was found, as plain values. No name or path of an input."""
    return {
        "schema": "twostageseg-review/1",
        "tool": {"name": "twostageseg", "version": __version__},
        "notice": RESEARCH_NOTICE,
        "image": {
            "size_xyz": list(volume.geometry.shape_zyx[::-1]),
            "spacing_xyz_mm": list(volume.geometry.spacing_xyz_mm),
        },
        "notices": list(notices),
        "organs": {
            o.organ: {
                "volume_ml": 0.0 if o.mask is None else round(o.mask.volume_ml, 3),
                "agreement": agreement_json(o.agreement),
                "review": review_json(o.review),
            }
            for o in organs
        },
        "audit": dict(record),
    }


def table(organs: Sequence[Reviewed], notices: Sequence[str], model: Model | None) -> str:
    """Organs with their figures, then the slices to look at, worst first."""
    compared = any(o.agreement is not None for o in organs)
    head = ["organ", "ml", "slices to look at", *(agreement_cells(None) if compared else ())]
    rows: list[Sequence[str]] = [head]
    for o in organs:
        cells = ["" if o.mask is None else f"{o.mask.volume_ml:.1f}", counts_text(o.review)]
        rows.append([o.organ, *cells, *(agreement_cells(o.agreement).values() if compared else ())])
    lines = [*aligned(rows), "", *_slices(organs, compared)]
    lines += [f"Note: {notice}" for notice in notices]
    made = "" if model is None else f"Model {model.name} {model.manifest.version}. "
    return "\n".join([*lines, "", f"{made}{RESEARCH_NOTICE}"])


def _slices(organs: Sequence[Reviewed], compared: bool) -> list[str]:
    flagged = worst_first(tuple(o.review for o in organs if o.review is not None))
    if not flagged:
        return ["No slice is flagged. Look at them all the same."]
    rows: list[Sequence[str]] = [("slice", "organ", "z, mm", "Dice" if compared else "risk", "why")]
    for finding in flagged[:ROWS]:
        v = slice_values(finding)
        figure = v["dice"] if compared else v["score"]
        rows.append((str(v["slice"]), finding.organ, f"{v['centre_lps'][2]:.1f}", f"{figure:.2f}", finding.text))
    more = [f"and {len(flagged) - ROWS} more: see --csv, --json or --report"] if len(flagged) > ROWS else []
    return [*aligned(rows), *more]
