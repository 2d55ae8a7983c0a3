"""What a review says of every slice: the one type behind the list, the profile, the report, CSV and JSON.

A slice is a plane of the scan's standard array (axis 0, feet to head), which is a plane of the file if the scan is
axial. Nothing is ever "ok": a slice that raised no flag is one on which nothing was noticed, no more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

BAD_DICE = 0.7
"""A slice whose Dice lies below this is bad: what a flag predicts without a reference, and reports with one."""

NO_FLAG = "no flag"
"""What every view shows for a slice without a flag."""


class Basis(StrEnum):
    """What the findings rest on."""

    SUSPICION = "suspicion"
    REFERENCE = "reference"


@dataclass(frozen=True)
class SliceFinding:
    """One slice of one organ.

    Parameters
    ----------
    index : plane of the standard array (axis 0). number : the same plane counted from 1 as Slicer's slider counts.
    centre_lps : where the views jump, mm: the middle of the organ in this slice, or of its nearest slice.
    area_mm2 : area of the mask in this slice.
    score : 0..1, worst is 1. Basis suspicion: P(slice Dice < BAD_DICE). Basis reference: 1 - Dice.
    reasons : words, most important first; empty if there is none.
    flagged : True if the slice is in the list to look at.
    dice : against the reference; None without one.
    """

    organ: str
    index: int
    centre_lps: tuple[float, float, float]
    area_mm2: float
    score: float
    reasons: tuple[str, ...] = ()
    flagged: bool = False
    dice: float | None = None

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def text(self) -> str:
        """The reason as shown."""
        return "; ".join(self.reasons) if self.flagged else NO_FLAG


@dataclass(frozen=True)
class OrganReview:
    """All slices of one organ, feet to head, and what concerns the organ as a whole."""

    organ: str
    basis: Basis
    slices: tuple[SliceFinding, ...]
    notes: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[SliceFinding, ...]:
        """Flagged slices, worst first; equal scores feet to head."""
        return tuple(sorted((s for s in self.slices if s.flagged), key=lambda s: (-s.score, s.index)))

    def at(self, index: int) -> SliceFinding | None:
        return next((s for s in self.slices if s.index == index), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON; the inverse of :meth:`from_json`."""
        rows = [{k: v for k, v in asdict(s).items() if k != "organ"} for s in self.slices]
        for row in rows:
            row["centre_lps"] = [round(float(c), 3) for c in row["centre_lps"]]
            row["area_mm2"], row["score"] = round(float(row["area_mm2"]), 2), round(float(row["score"]), 4)
        return {"organ": self.organ, "basis": self.basis.value, "slices": rows, "notes": list(self.notes)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> OrganReview:
        organ = str(value["organ"])
        slices = tuple(_slice(organ, row) for row in value["slices"])
        return cls(organ, Basis(value["basis"]), slices, tuple(str(n) for n in value["notes"]))


def worst_first(reviews: tuple[OrganReview, ...]) -> tuple[SliceFinding, ...]:
    """Flagged slices of all organs, worst first; equal scores in the organs' order, feet to head."""
    order = {r.organ: i for i, r in enumerate(reviews)}
    flagged = [s for r in reviews for s in r.slices if s.flagged]
    return tuple(sorted(flagged, key=lambda s: (-s.score, order[s.organ], s.index)))


def _slice(organ: str, row: dict[str, Any]) -> SliceFinding:
    x, y, z = (float(c) for c in row["centre_lps"])
    return SliceFinding(
        organ,
        int(row["index"]),
        (x, y, z),
        float(row["area_mm2"]),
        float(row["score"]),
        tuple(str(r) for r in row["reasons"]),
        bool(row["flagged"]),
        None if row["dice"] is None else float(row["dice"]),
    )
