"""The review on a page: all flagged slices worst first, and for each organ its profile and its worst slices."""

from __future__ import annotations

from collections.abc import Sequence

from ..mask import Mask
from ..review.findings import NO_FLAG, Basis, OrganReview, SliceFinding, worst_first
from ..structures import structure
from ..volume import Volume
from .html import figure, swatch, table, text
from .pictures import slice_picture
from .profile import figure as value_of
from .profile import profile_svg

PICTURES = 6
"""Flagged slices of an organ that are shown as pictures; the table has them all."""


def list_section(reviews: Sequence[OrganReview]) -> str:
    """The table of flagged slices of all organs, worst first; what is not flagged is not called right."""
    flagged = worst_first(tuple(reviews))
    slices = sum(len(r.slices) for r in reviews)
    heading = "<h2>Slices to look at</h2>"
    if not slices:
        return f"{heading}<p>No organ was reviewed: the model has nothing to judge its slices by.</p>"
    if not flagged:
        return f"{heading}<p>{NO_FLAG.capitalize()} in {slices} slices. Look at them all the same.</p>"
    compared = {r.organ for r in reviews if r.basis is Basis.REFERENCE}
    head = [("Organ", False), ("Slice", True), ("z (LPS), mm", True), ("Area, mm²", True)]
    head += [(_figure_title(compared, len(reviews)), True), ("Why", False)]
    rows = [
        f'<tr><th scope="row">{swatch(structure(f.organ).rgb)}{text(f.organ)}</th><td class="n">{f.number}</td>'
        f'<td class="n">{f.centre_lps[2]:.1f}</td><td class="n">{f.area_mm2:.0f}</td>'
        f'<td class="n">{value_of(f):.2f}</td><td>{text(f.text)}</td></tr>'
        for f in flagged
    ]
    return f"{heading}<p>{len(flagged)} of {slices} slices, worst first.</p>{table(head, rows)}"


def organ_section(
    volume: Volume, review: OrganReview | None, mask: Mask | None, reference: Mask | None = None, ct: bool = True
) -> str:
    """One organ's profile, notes and worst slices as pictures; "" if it was not reviewed."""
    if review is None:
        return ""
    rgb = structure(review.organ).rgb
    flagged = review.flagged
    worst = flagged[:PICTURES]
    views = "".join(
        figure(
            slice_picture(volume, finding, mask, reference, rgb, ct),
            review.organ,
            f"Slice {finding.number}: {finding.text}{_risk(review, finding)}",
        )
        for finding in worst
    )
    shown = f" The worst {len(worst)} are shown." if len(flagged) > len(worst) else ""
    count = f"{len(flagged)} of {len(review.slices)} slices flagged.{shown}" if flagged else f"{NO_FLAG.capitalize()}."
    notes = "".join(f"<li>{text(note)}</li>" for note in review.notes)
    return (
        f'<div class="review">{profile_svg(review, rgb)}<p class="soft">{count}</p>'
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + (f'<div class="views">{views}</div>' if views else "")
        + "</div>"
    )


def _risk(review: OrganReview, finding: SliceFinding) -> str:
    """Against a reference the reasons say the Dice themselves."""
    return "" if review.basis is Basis.REFERENCE else f" (risk {finding.score:.2f})"


def _figure_title(compared: set[str], organs: int) -> str:
    if not compared:
        return "Risk"
    return "Dice" if len(compared) == organs else "Dice or risk"
