"""What the report says of one organ: status in words, what to check, figures. Words only, no HTML."""

from __future__ import annotations

from dataclasses import dataclass

from ..manifest import Manifest
from ..mask import Mask
from ..pipeline import OrganResult
from ..region import Source, Status


@dataclass(frozen=True)
class Wording:
    """``tone`` is "good", "look" (check it) or "missing"; without a contour the status is never "located"."""

    status: str
    tone: str
    notes: tuple[str, ...]


def wording(organ: OrganResult, manifest: Manifest) -> Wording:
    """Status and notes of one organ."""
    region, mask = organ.region, organ.mask
    if not region.usable:
        return Wording("not located", "missing", ("Click its centre or draw a box around it, and run again.",))
    if mask is None:
        place = {Source.CLICK: "your click", Source.BOX: "your box"}.get(region.source, "the located region")
        return Wording("not located", "missing", (f"Nothing was found at {place}. Move or enlarge it, and run again.",))
    notes = []
    low = region.source == Source.AUTO and region.status == Status.LOW_CONFIDENCE
    if low:
        notes.append("Low confidence: check that this is the right place.")
    if mask.touches_edge:
        notes.append("Touches the edge of its crop: the box may be too small. Check the ends, or draw a larger box.")
    spec = next((o for o in manifest.organs if o.name == organ.organ), None)
    if spec is not None and not spec.volume_ml[0] <= mask.volume_ml <= spec.volume_ml[1]:
        lo, hi = spec.volume_ml
        notes.append(f"{mask.volume_ml:.1f} ml is outside the usual range of {lo:.0f} to {hi:.0f} ml.")
    words = {
        Source.AUTO: "low confidence" if low else "located",
        Source.CLICK: "your click",
        Source.BOX: "your box",
        Source.REFERENCE: "reference contour",
    }
    return Wording(words[region.source], "look" if notes else "good", tuple(notes))


def agreement(mask: Mask | None, reference: Mask | None) -> tuple[str, str]:
    """Dice and HD95 (mm) against a reference, as text; empty where there is nothing to compare."""
    if reference is None:
        return "", ""
    if mask is None:
        return "0", ""
    from ..metrics import dice, hd95, together  # scipy is slow to import and only needed here

    a, b = together(mask.trimmed(), reference.trimmed())
    return f"{dice(a, b):.3f}", f"{hd95(a, b, mask.geometry.spacing_zyx_mm):.1f}"
