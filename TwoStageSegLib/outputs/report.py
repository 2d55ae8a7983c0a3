"""The report: one HTML page that a clinician can open, print and keep. No script, no file or network beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import RESEARCH_NOTICE
from ..mask import Mask
from ..model import Model
from ..pipeline import OrganResult, Result
from ..structures import structure
from ..volume import Volume
from .atomic import atomic_file
from .audit import result_record
from .html import audit_section, figure, number, page, swatch, table
from .html import text as _e
from .pictures import Picture, organ_pictures
from .png import Rgb
from .review_data import counts_text
from .review_section import list_section, organ_section
from .wording import Wording, agreement, wording

SIGNS = {"good": "•", "look": "!", "missing": "✕"}  # not by colour alone; a tick would say that all is well


@dataclass(frozen=True)
class _Entry:
    """Everything the page shows of one organ."""

    organ: OrganResult
    words: Wording
    rgb: Rgb
    pictures: tuple[Picture, ...]
    reference: Mask | None
    review: str


def write_report(
    path: str | Path,
    volume: Volume,
    result: Result,
    model: Model,
    reference: Sequence[Mask] | None = None,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write the page; it appears whole or not at all.

    Parameters
    ----------
    path : HTML file to make. volume : the scan. result : what was found in it, by which model.
    reference : contours to compare with, in the volume's grid; drawn in dashed white, with Dice and HD95.
    record : the run's audit record, if more is known than the result says.

    Raises
    ------
    InputRefused
        ``E_OUTPUT`` if the place cannot be written.
    """
    known = {mask.organ: mask for mask in reference or ()}
    ct = model.manifest.input.modality == "CT"
    entries = []
    for organ in result.organs:
        rgb, other = structure(organ.organ).rgb, known.get(organ.organ)
        pictures = organ_pictures(volume, organ.region, organ.mask, other, rgb, ct)
        review = organ_section(volume, organ.review, organ.mask, other, ct)
        entries.append(_Entry(organ, wording(organ, model.manifest), rgb, pictures, other, review))
    content = _page(volume, result, model, entries, bool(known), record or result_record(result, model, {}))
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def _page(
    volume: Volume,
    result: Result,
    model: Model,
    entries: Sequence[_Entry],
    compared: bool,
    record: Mapping[str, Any],
) -> str:
    key = "Solid line: this segmentation. Dashed box: where the organ was located."
    key += " Dashed white line: the reference." if compared else ""
    parts = (
        _header(volume, result, model, entries),
        "<h2>Figures</h2>",
        _table(entries, compared),
        list_section([o.review for o in result.organs if o.review is not None]),
        "<h2>Organs</h2>",
        f'<p class="soft key">{key} The patient\'s right is on the left of axial and coronal pictures.</p>',
        *(_organ(entry, compared) for entry in entries),
        audit_section(record),
    )
    return page(f"Segmentation report: {model.manifest.title}", parts)


def _header(volume: Volume, result: Result, model: Model, entries: Sequence[_Entry]) -> str:
    m = model.manifest
    total = result.seconds.get("total")
    facts = (
        ("Model", f"{m.title} ({m.name}), version {m.version}, {model.sha256[:12]}"),
        ("Licence", f"{m.licence.weights}; trained on: {', '.join(m.licence.training_data) or 'not stated'}"),
        ("Intended use", m.intended_use),
        ("Not for", "; ".join(m.not_for)),
        ("Image", volume.size_text),
        ("Ran on", result.device + (f", {total:.1f} seconds" if total is not None else "")),
    )
    rows = "".join(f"<dt>{name}</dt><dd>{_e(value)}</dd>" for name, value in facts if value)
    notices = "".join(f"<p>{_e(text)}</p>" for text in result.notices)
    return (
        f'<h1>Segmentation report</h1><p class="summary">{_summary(entries)}</p>'
        f'<div class="notice"><p><strong>{_e(RESEARCH_NOTICE)}</strong></p>{notices}</div>'
        f'<div class="panel"><dl>{rows}</dl></div>'
    )


def _summary(entries: Sequence[_Entry]) -> str:
    """One sentence: how many contours there are, and which need a look."""
    missing = [e.organ.organ for e in entries if e.words.tone == "missing"]
    look = [e.organ.organ for e in entries if e.words.tone == "look"]
    text = f"{len(entries) - len(missing)} of {len(entries)} organs have a contour."
    text += f" Not located: {', '.join(missing)}." if missing else ""
    text += f" Check first: {', '.join(look)}." if look else ""
    return _e(text)


def _table(entries: Sequence[_Entry], compared: bool) -> str:
    head = ["Organ", "Status", "Score", "Volume, ml", "Centre (LPS), mm", "Box, mm", "Slices to look at"]
    head += ["Dice", "HD95, mm", "Reference, ml"] if compared else []
    return table([(title, i > 1) for i, title in enumerate(head)], [_row(entry, compared) for entry in entries])


def _row(entry: _Entry, compared: bool) -> str:
    organ, region = entry.organ, entry.organ.region
    figures = [
        _score(organ),
        f"{organ.mask.volume_ml:.1f}" if organ.mask is not None else "",
        _triple(region.centre_lps, ", ", 1) if region.usable else "",
        _triple(region.size_mm, " × ", 0) if region.usable else "",
        counts_text(organ.review) if organ.mask is not None else "",
    ]
    if compared:
        figures += [
            *agreement(organ.mask, entry.reference),
            f"{entry.reference.volume_ml:.1f}" if entry.reference else "",
        ]
    cells = "".join(f"<td{number(True)}>{_e(text) or '–'}</td>" for text in figures)
    name = f'<th scope="row">{swatch(entry.rgb)}{_e(organ.organ)}</th>'
    return f'<tr>{name}<td class="word {entry.words.tone}">{_e(entry.words.status)}</td>{cells}</tr>'


def _organ(entry: _Entry, compared: bool) -> str:
    organ, words = entry.organ, entry.words
    facts = [("Score", _score(organ))]
    if organ.mask is not None:
        facts.append(("Volume", f"{organ.mask.volume_ml:.1f} ml"))
    if compared and entry.reference is not None:
        facts += [
            ("Reference", f"{entry.reference.volume_ml:.1f} ml"),
            ("Dice", agreement(organ.mask, entry.reference)[0]),
        ]
    rows = "".join(f"<dt>{name}</dt><dd>{_e(value)}</dd>" for name, value in facts if value)
    notes = "".join(f"<li>{_e(note)}</li>" for note in words.notes)
    notes = f'<ul class="notes">{notes}</ul>' if notes else ""
    views = "".join(figure(picture, organ.organ) for picture in entry.pictures)
    views = f'<div class="views">{views}</div>' if views else ""
    title = f"<h3>{swatch(entry.rgb)}{_e(organ.organ)}</h3>"
    badge = f'<span class="badge {words.tone}">{SIGNS[words.tone]} {_e(words.status)}</span>'
    kind = "organ missing" if words.tone == "missing" else "organ"
    return f'<section class="{kind}"><div>{title}{badge}<dl>{rows}</dl>{notes}</div>{views}{entry.review}</section>'


def _score(organ: OrganResult) -> str:
    """A click or a box is the user's own: it has no score."""
    return f"{organ.region.score:.2f}" if organ.region.source.value == "auto" else ""


def _triple(values: Sequence[float] | None, between: str, digits: int) -> str:
    return "" if values is None else between.join(f"{v:.{digits}f}" for v in values)
