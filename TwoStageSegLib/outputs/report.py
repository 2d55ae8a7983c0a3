"""The report: one HTML page that a clinician can open, print and keep. No script, no file or network beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .. import RESEARCH_NOTICE, __version__
from ..mask import Mask
from ..model import Model
from ..pipeline import OrganResult, Result
from ..structures import structure
from ..volume import Volume
from .atomic import atomic_file
from .pictures import SIZE_PX, Picture, organ_pictures
from .png import Rgb
from .style import CSS
from .wording import Wording, agreement, wording

SIGNS = {"good": "✓", "look": "!", "missing": "✕"}  # not by colour alone
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # the browser refuses whatever is not inline


@dataclass(frozen=True)
class _Entry:
    """Everything the page shows of one organ."""

    organ: OrganResult
    words: Wording
    rgb: Rgb
    pictures: tuple[Picture, ...]
    reference: Mask | None


def write_report(
    path: str | Path,
    volume: Volume,
    result: Result,
    model: Model,
    reference: Sequence[Mask] | None = None,
) -> None:
    """Write the page; it appears whole or not at all.

    Parameters
    ----------
    path : HTML file to make. volume : the scan. result : what was found in it, by which model.
    reference : contours to compare with, in the volume's grid; drawn in dashed white, with Dice and HD95.

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
        entries.append(_Entry(organ, wording(organ, model.manifest), rgb, pictures, other))
    page = _page(volume, result, model, entries, bool(known))
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _page(volume: Volume, result: Result, model: Model, entries: Sequence[_Entry], compared: bool) -> str:
    manifest = model.manifest
    key = "Solid line: this segmentation. Dashed box: where the organ was located."
    key += " Dashed white line: the reference." if compared else ""
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Segmentation report: {_e(manifest.title)}</title><style>{CSS}</style></head><body><main>",
            _header(volume, result, model, entries),
            "<h2>Figures</h2>",
            _table(entries, compared),
            "<h2>Organs</h2>",
            f'<p class="soft key">{key} The patient\'s right is on the left of axial and coronal pictures.</p>',
            *(_organ(entry, compared) for entry in entries),
            f"<footer>TwoStageSeg {_e(__version__)}. {_e(RESEARCH_NOTICE)}</footer></main></body></html>\n",
        )
    )


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
    head = ["Organ", "Status", "Score", "Volume, ml", "Centre (LPS), mm", "Box, mm"]
    head += ["Dice", "HD95, mm", "Reference, ml"] if compared else []
    cells = "".join(f'<th scope="col"{_n(i > 1)}>{title}</th>' for i, title in enumerate(head))
    rows = "".join(_row(entry, compared) for entry in entries)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(entry: _Entry, compared: bool) -> str:
    organ, region = entry.organ, entry.organ.region
    figures = [
        _score(organ),
        f"{organ.mask.volume_ml:.1f}" if organ.mask is not None else "",
        _triple(region.centre_lps, ", ", 1) if region.usable else "",
        _triple(region.size_mm, " × ", 0) if region.usable else "",
    ]
    if compared:
        figures += [
            *agreement(organ.mask, entry.reference),
            f"{entry.reference.volume_ml:.1f}" if entry.reference else "",
        ]
    cells = "".join(f"<td{_n(True)}>{_e(text) or '–'}</td>" for text in figures)
    name = f'<th scope="row">{_swatch(entry.rgb)}{_e(organ.organ)}</th>'
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
    views = "".join(_figure(picture, organ.organ) for picture in entry.pictures)
    views = f'<div class="views">{views}</div>' if views else ""
    title = f"<h3>{_swatch(entry.rgb)}{_e(organ.organ)}</h3>"
    badge = f'<span class="badge {words.tone}">{SIGNS[words.tone]} {_e(words.status)}</span>'
    kind = "organ missing" if words.tone == "missing" else "organ"
    return f'<section class="{kind}"><div>{title}{badge}<dl>{rows}</dl>{notes}</div>{views}</section>'


def _figure(picture: Picture, organ: str) -> str:
    plane = picture.plane
    data = base64.b64encode(picture.png).decode("ascii")
    letters = zip("lrtb", (plane.left, plane.right, plane.top, plane.bottom), strict=True)
    marks = "".join(f'<b class="{edge}" aria-hidden="true">{letter}</b>' for edge, letter in letters)
    where = f"{picture.coordinate} = {picture.position_mm:.1f} mm"
    alt = f"{plane.name} slice through {organ} at {where}"
    return (
        f'<figure><div class="frame"><img width="{SIZE_PX}" height="{SIZE_PX}" alt="{_e(alt)}" '
        f'src="data:image/png;base64,{data}">{marks}</div>'
        f"<figcaption>{plane.name}, {where} · {picture.side_mm:.0f} mm wide</figcaption></figure>"
    )


def _score(organ: OrganResult) -> str:
    """A click or a box is the user's own: it has no score."""
    return f"{organ.region.score:.2f}" if organ.region.source.value == "auto" else ""


def _triple(values: Sequence[float] | None, between: str, digits: int) -> str:
    return "" if values is None else between.join(f"{v:.{digits}f}" for v in values)


def _swatch(rgb: Rgb) -> str:
    return f'<span class="swatch" style="background:rgb({rgb[0]},{rgb[1]},{rgb[2]})"></span>'


def _n(number: bool) -> str:
    return ' class="n"' if number else ""


def _e(text: object) -> str:
    """Any text made harmless in HTML, attributes included."""
    return escape(str(text), quote=True)
