"""What every page of ours is made of: the frame that loads nothing from elsewhere, pictures, swatches, escaped text."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .. import RESEARCH_NOTICE, __version__
from .pictures import SIZE_PX, Picture
from .png import Rgb
from .style import CSS

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # the browser refuses whatever is not inline


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page. ``title`` : plain text. ``parts`` : HTML."""
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title><style>{CSS}</style></head><body><main>",
            *parts,
            f"<footer>TwoStageSeg {text(__version__)}. {text(RESEARCH_NOTICE)}</footer></main></body></html>\n",
        )
    )


def audit_section(record: Mapping[str, Any]) -> str:
    """The audit record, folded."""
    content = text(json.dumps(record, indent=1, allow_nan=False))
    return f'<details class="audit"><summary>Audit record</summary><pre>{content}</pre></details>'


def figure(picture: Picture, organ: str, caption: str = "") -> str:
    """A picture with the patient's sides at its edges; ``caption`` : plain text that stands before its place."""
    plane = picture.plane
    data = base64.b64encode(picture.png).decode("ascii")
    letters = zip("lrtb", (plane.left, plane.right, plane.top, plane.bottom), strict=True)
    marks = "".join(f'<b class="{edge}" aria-hidden="true">{letter}</b>' for edge, letter in letters)
    where = f"{picture.coordinate} = {picture.position_mm:.1f} mm"
    alt = f"{plane.name} slice through {organ} at {where}"
    before = f'<span class="why">{text(caption)}</span>' if caption else ""
    return (
        f'<figure><div class="frame"><img width="{SIZE_PX}" height="{SIZE_PX}" alt="{text(alt)}" '
        f'src="data:image/png;base64,{data}">{marks}</div>'
        f"<figcaption>{before}{plane.name}, {where} · {picture.side_mm:.0f} mm wide</figcaption></figure>"
    )


def table(head: Sequence[tuple[str, bool]], rows: Sequence[str]) -> str:
    """``head`` : titles, and whether a column holds numbers. ``rows`` : HTML."""
    cells = "".join(f'<th scope="col"{number(numeric)}>{title}</th>' for title, numeric in head)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def swatch(rgb: Rgb) -> str:
    return f'<span class="swatch" style="background:rgb({rgb[0]},{rgb[1]},{rgb[2]})"></span>'


def number(numeric: bool) -> str:
    """The attribute of a cell that holds a number."""
    return ' class="n"' if numeric else ""


def text(value: object) -> str:
    """Any text made harmless in HTML, attributes included."""
    return escape(str(value), quote=True)
