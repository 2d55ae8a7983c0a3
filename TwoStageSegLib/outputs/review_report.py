"""The page of ``twostageseg review``: figures, the slices to look at, and each organ's profile and worst slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import RESEARCH_NOTICE
from ..mask import Mask
from ..metrics import Agreement
from ..model import Model
from ..review.findings import OrganReview
from ..structures import structure
from ..volume import Volume
from .atomic import atomic_file
from .html import audit_section, number, page, swatch, table, text
from .review_data import agreement_cells, counts_text
from .review_section import list_section, organ_section


@dataclass(frozen=True, eq=False)
class Reviewed:
    """One organ that was looked at. ``mask`` : None if it is empty or missing; ``agreement`` with a reference only."""

    organ: str
    mask: Mask | None
    review: OrganReview | None
    reference: Mask | None = None
    agreement: Agreement | None = None


def write_review_report(
    path: str | Path,
    volume: Volume,
    organs: Sequence[Reviewed],
    model: Model | None,
    record: Mapping[str, Any],
    notices: Sequence[str] = (),
) -> None:
    """Write the page; it appears whole or not at all.

    Parameters
    ----------
    model : whose suspicion it is, or that made the contours; None if nobody knows. record : the audit record.

    Raises
    ------
    InputRefused
        ``E_OUTPUT`` if the place cannot be written.
    """
    compared = any(o.reference is not None for o in organs)
    ct = model is None or model.manifest.input.modality == "CT"
    key = "Solid line: the contour that is reviewed." + (" Dashed white line: the reference." if compared else "")
    parts = (
        _header(volume, model, compared, notices),
        "<h2>Figures</h2>",
        _figures(organs, compared),
        list_section([o.review for o in organs if o.review is not None]),
        "<h2>Organs</h2>",
        f'<p class="soft key">{key} The patient\'s right is on the left.</p>',
        *(_organ(volume, organ, ct) for organ in organs),
        audit_section(record),
    )
    content = page("Review report", parts)
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def _header(volume: Volume, model: Model | None, compared: bool, notices: Sequence[str]) -> str:
    facts = [("Image", volume.size_text)]
    facts.append(("Compared with", "a reference" if compared else "nothing: the model's own suspicion"))
    if model is not None:
        m = model.manifest
        facts.append(("Model", f"{m.title} ({m.name}), version {m.version}, {model.sha256[:12]}"))
    rows = "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in facts)
    said = "".join(f"<p>{text(notice)}</p>" for notice in notices)
    return (
        f'<h1>Review report</h1><div class="notice"><p><strong>{text(RESEARCH_NOTICE)}</strong></p>{said}</div>'
        f'<div class="panel"><dl>{rows}</dl></div>'
    )


def _figures(organs: Sequence[Reviewed], compared: bool) -> str:
    head = [("Organ", False), ("Volume, ml", True), ("Slices to look at", True)]
    if compared:
        head += [(title, True) for title in agreement_cells(None)]
    rows = []
    for organ in organs:
        cells = [f"{organ.mask.volume_ml:.1f}" if organ.mask is not None else "", counts_text(organ.review)]
        cells += agreement_cells(organ.agreement).values() if compared else []
        inner = "".join(f"<td{number(True)}>{text(cell) or '–'}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{swatch(structure(organ.organ).rgb)}{text(organ.organ)}</th>{inner}</tr>')
    return table(head, rows)


def _organ(volume: Volume, organ: Reviewed, ct: bool) -> str:
    title = f"<h3>{swatch(structure(organ.organ).rgb)}{text(organ.organ)}</h3>"
    section = organ_section(volume, organ.review, organ.mask, organ.reference, ct)
    return f'<section class="organ"><div>{title}</div>{section or "<p>Not reviewed.</p>"}</section>'
