"""The figures of a review, once: the table on the screen, JSON, CSV and the report page all take them from here."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..review.findings import NO_FLAG, OrganReview, SliceFinding
from .audit import compact

if TYPE_CHECKING:
    from ..metrics import Agreement

COLUMNS = (
    "organ", "slice", "x_lps_mm", "y_lps_mm", "z_lps_mm", "area_mm2", "basis", "score", "dice", "flagged", "reasons",
)  # fmt: skip


def slice_values(finding: SliceFinding) -> dict[str, Any]:
    """One slice as plain values. ``slice`` counts from 1, feet to head; ``dice`` is None without a reference."""
    return {
        "slice": finding.number,
        "centre_lps": [round(float(c), 2) for c in finding.centre_lps],
        "area_mm2": round(float(finding.area_mm2), 1),
        "score": round(float(finding.score), 4),
        "dice": None if finding.dice is None else round(float(finding.dice), 4),
        "flagged": finding.flagged,
        "reasons": list(finding.reasons),
    }


def review_json(review: OrganReview | None) -> dict[str, Any] | None:
    """One organ's review as plain values; None if it was not reviewed."""
    if review is None:
        return None
    return {
        "basis": review.basis.value,
        "flagged": len(review.flagged),
        "notes": list(review.notes),
        "slices": [slice_values(s) for s in review.slices],
    }


def agreement_json(agreement: Agreement | None) -> dict[str, Any] | None:
    """How far an organ agrees with its reference; lengths in mm, definitions in ``metrics``. None without one."""
    if agreement is None:
        return None
    counts = agreement.counts
    return {
        "outcome": agreement.outcome.value,
        "dice": round(agreement.dice, 4),
        "hd95_mm": round(agreement.hd95_mm, 2),
        "mean_surface_mm": round(agreement.mean_surface_mm, 2),
        "surface_dice": round(agreement.surface_dice, 4),
        "surface_dice_tolerance_mm": agreement.tolerance_mm,
        "volume_ratio": round(agreement.volume_ratio, 4) if math.isfinite(agreement.volume_ratio) else None,
        "added_path_mm": round(agreement.path.added_mm, 1),
        "slices_missing": counts.missing,
        "slices_wrong_object": counts.wrong,
        "slices_extra": counts.extra,
    }


def agreement_cells(agreement: Agreement | None) -> dict[str, str]:
    """The same figures as a table shows them, by column title; empty cells without a reference."""
    values = agreement_json(agreement) or {}
    columns = {
        "Dice": ("dice", ".3f"),
        "HD95, mm": ("hd95_mm", ".1f"),
        "Surface Dice": ("surface_dice", ".3f"),
        "Volume ratio": ("volume_ratio", ".2f"),
        "Added path, mm": ("added_path_mm", ".0f"),
    }
    return {
        title: f"{values[key]:{form}}" if values.get(key) is not None else "" for title, (key, form) in columns.items()
    }


def counts_text(review: OrganReview | None) -> str:
    """``3 of 24``, ``no flag in 24``, or that the organ was not reviewed."""
    if review is None:
        return "not reviewed"
    flagged = len(review.flagged)
    return f"{flagged} of {len(review.slices)}" if flagged else f"{NO_FLAG} in {len(review.slices)}"


def review_csv(reviews: Sequence[OrganReview], record: Mapping[str, Any]) -> str:
    """Every slice of every organ, feet to head, with commas and a dot; the first line is a comment, the audit record
    without the flags, which are in the rows.

    A cell that a spreadsheet would take for a formula is kept from being one.
    """
    out = io.StringIO()
    out.write(f"# {compact(_without_flags(record))}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for review in reviews:
        for finding in review.slices:
            v = slice_values(finding)
            x, y, z = v["centre_lps"]
            flagged, reasons = "yes" if v["flagged"] else "no", "; ".join(v["reasons"])
            dice = "" if v["dice"] is None else v["dice"]
            cells = (review.organ, v["slice"], x, y, z, v["area_mm2"], review.basis.value, v["score"], dice)
            writer.writerow([_harmless(c) for c in (*cells, flagged, reasons)])
    return out.getvalue()


def _without_flags(record: Mapping[str, Any]) -> dict[str, Any]:
    organs = record.get("organs", {})
    return {**record, "organs": {o: {k: v for k, v in r.items() if k != "flags"} for o, r in organs.items()}}


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell
