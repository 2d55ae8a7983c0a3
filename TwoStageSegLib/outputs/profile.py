"""The profile along one organ as an inline SVG: risk (or Dice) and area per slice, flagged slices marked."""

from __future__ import annotations

from collections.abc import Sequence

from ..review.findings import Basis, OrganReview, SliceFinding
from .html import text
from .png import Rgb

_WIDTH, _HEIGHT = 560, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 10, 10, 34
_TICKS = 6


def profile_svg(review: OrganReview, rgb: Rgb) -> str:
    """SVG element; "" without a slice. Shapes tell the curves apart, not colour alone."""
    slices = review.slices
    if not slices:
        return ""
    first, last = slices[0].number, slices[-1].number
    largest = max(s.area_mm2 for s in slices) or 1.0

    def x(number: int) -> float:
        return _LEFT + (number - first + 0.5) / (last - first + 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (1 - min(max(value, 0.0), 1.0)) * (_HEIGHT - _TOP - _BOTTOM)

    name = "Dice" if review.basis is Basis.REFERENCE else "risk"
    values = [(x(s.number), y(figure(s))) for s in slices]
    areas = [(x(s.number), y(s.area_mm2 / largest)) for s in slices]
    colour = f"rgb({rgb[0]},{rgb[1]},{rgb[2]})"
    marks = "".join(_flag(s, px, py, name) for s, (px, py) in zip(slices, values, strict=True) if s.flagged)
    dots = "".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2" fill="{colour}" stroke="#333"/>' for px, py in values)
    label = f"{name} per slice of {review.organ}, slices {first} to {last}; {len(review.flagged)} flagged"
    return (
        f'<svg class="profile" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(label)}">'
        f"{_axes(first, last, x, y)}"
        f'<polyline points="{_points(areas)}" fill="none" stroke="#8a94a0" stroke-dasharray="4 3"/>'
        f'<polyline points="{_points(values)}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{marks}'
        f'<text x="{_LEFT}" y="{_HEIGHT - 3}">solid: {name} · dashed: area, up to {largest:.0f} mm² · '
        f"diamond: flagged</text></svg>"
    )


def figure(finding: SliceFinding) -> float:
    """The slice's Dice if it is known, else its risk."""
    return finding.score if finding.dice is None else finding.dice


def _axes(first: int, last: int, x, y) -> str:
    step = max(1, round((last - first) / _TICKS))
    bottom = _HEIGHT - _BOTTOM
    parts = [
        f'<line x1="{_LEFT}" y1="{y(v):.1f}" x2="{_WIDTH - _RIGHT}" y2="{y(v):.1f}" stroke="#e3e8ed"/>'
        f'<text x="{_LEFT - 5}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}</text>'
        for v in (0.0, 0.5, 1.0)
    ]
    parts += [
        f'<text x="{x(n):.1f}" y="{bottom + 13}" text-anchor="middle">{n}</text>' for n in range(first, last + 1, step)
    ]
    return "".join(parts)


def _flag(finding: SliceFinding, px: float, py: float, name: str) -> str:
    """A diamond; the words appear under the pointer."""
    corners = _points([(px, py - 6), (px + 6, py), (px, py + 6), (px - 6, py)])
    words = f"slice {finding.number}: {name} {figure(finding):.2f}, {finding.text}"
    return f'<polygon points="{corners}" fill="#a3161a" stroke="#fff"><title>{text(words)}</title></polygon>'


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
