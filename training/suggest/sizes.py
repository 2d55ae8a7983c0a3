"""Grids, crops and widths that fit a data set, each by one rule that can be said in a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .look import DataFacts, Triple

Shape = tuple[int, int, int]

CROP_VOXELS = 64**3  # what the largest organ's crop may hold: a step of training within a second or two on two cores
COARSE_VOXELS = 50_000  # of the locator's grid over a whole image
ACROSS = 6  # voxels that the narrowest organ keeps across, whatever the largest wants
COARSE_ACROSS = 3
CONTEXT_SIDE = 24  # voxels along each side of a crop, however small the organ: what three levels see
LEAST_SIDE = 4  # voxels that the deepest level keeps
WIDTHS = (16, 32, 64, 96)  # what two cores train in minutes
LONGEST = 64  # voxels of a window along a long organ


@dataclass(frozen=True)
class Sizes:
    """Spacings in mm and shapes in voxels (z, y, x); ``crops`` and ``windows`` by organ.

    ``shift_mm`` is how far crops are moved in training (standard deviation): what the locator may be off by.
    ``windows``: organs longer than a crop, which are learnt in windows along z.
    """

    segment_spacing: Triple
    crops: dict[str, Shape]
    windows: tuple[str, ...]
    segment_widths: tuple[int, ...]
    locate_spacing: Triple
    locate_shape: Shape
    locate_widths: tuple[int, ...]
    shift_mm: float
    margin_mm: float
    reasons: tuple[str, ...]


def sizes(facts: DataFacts) -> Sizes:
    """All sizes of a recipe of ``localise-crop``."""
    narrow = min(o.narrow_mm for o in facts.organs)
    locate = _locate_spacing(facts, narrow)
    coarse = max(locate)
    shift = round(float(np.clip(coarse, 2.0, 5.0)), 1)
    context = 2 * shift + 2
    spacing, held = _segment_spacing(facts, narrow, context)
    crops: dict[str, Shape] = {}
    windows = []
    for organ in facts.organs:
        held_mm = np.maximum(np.add(organ.extent_mm, 2 * context), np.multiply(CONTEXT_SIDE, spacing))
        shape = _voxels(np.minimum(held_mm, facts.image_mm), spacing)
        if shape[0] > LONGEST and organ.extent_mm[0] > 2 * max(organ.extent_mm[1:]):
            windows.append(organ.organ)
            shape = (LONGEST, *shape[1:])
        crops[organ.organ] = shape
    levels = _levels(min(min(s) for s in crops.values()))
    widths = WIDTHS[:levels]
    factor = 2 ** (levels - 1)
    crops = {organ: _multiple(shape, factor) for organ, shape in crops.items()}
    locate_raw = _voxels(np.multiply(facts.image_mm, 1.05), locate)
    locate_levels = _levels(min(locate_raw))
    locate_shape = _multiple(tuple(min(n, LONGEST) for n in locate_raw), 2 ** (locate_levels - 1))
    margin = round(1.25 * coarse + coarse / 2, 1)
    reasons = _reasons(facts, spacing, held, locate, widths, (narrow, margin, context, shift))
    return Sizes(
        spacing, crops, tuple(windows), widths, locate, locate_shape, WIDTHS[:locate_levels], shift, margin, reasons
    )


def _reasons(
    facts: DataFacts,
    spacing: Triple,
    held: bool,
    locate: Triple,
    widths: tuple[int, ...],
    mm: tuple[float, float, float, float],
) -> tuple[str, ...]:
    """Why these sizes; ``mm``: narrowest organ, margin, context around an organ, shift."""
    narrow, margin, context, shift = mm
    same = np.allclose(spacing, facts.spacing_mm, rtol=0.05)
    where = (
        "the scans' own spacing" if same else "coarser than the scans, so that the largest organ's crop can be trained"
    )
    fit = "" if held else " The largest organ does not fit its crop at this spacing: better in a recipe of its own."
    return (
        f"Locator on {_by(locate)} mm: the whole image in at most {COARSE_VOXELS:,} voxels, {COARSE_ACROSS} of them "
        f"across the narrowest organ ({narrow:.0f} mm) where the scan's own voxels allow.",
        f"Margin about {margin:g} mm: a box is off by a coarse voxel or so. export measures it on validation cases.",
        f"Crops on {_by(spacing)} mm ({where}): the 95th percentile of each organ and {context:g} mm around it.{fit}",
        f"Crops are moved by {shift:g} mm in training, as far as the locator may be off: a segmenter that saw nothing "
        "but true boxes loses most there (papers/002).",
        f"Widths {'-'.join(map(str, widths))}: {len(widths)} levels leave the deepest {LEAST_SIDE} voxels or more. "
        f"With {facts.training} training cases and hours instead of minutes, try half as wide again.",
    )


def _locate_spacing(facts: DataFacts, narrow_mm: float) -> Triple:
    """As coarse as the whole image in ``COARSE_VOXELS`` asks for, as fine as the narrowest organ does."""
    cube = (math.prod(facts.image_mm) / COARSE_VOXELS) ** (1 / 3)
    step = min(max(cube, 2 * min(facts.spacing_mm)), max(narrow_mm / COARSE_ACROSS, cube / 2))
    return _rounded(np.maximum(step, facts.spacing_mm))


def _segment_spacing(facts: DataFacts, narrow_mm: float, context_mm: float) -> tuple[Triple, bool]:
    """The scans' own spacing, coarsened (finest axis first) until the largest crop fits; True if it does."""
    own = np.array(facts.spacing_mm)
    sides = [np.minimum(np.add(o.extent_mm, 2 * context_mm), facts.image_mm) for o in facts.organs]
    sides = [np.minimum(s, [LONGEST * own[0] * 2, np.inf, np.inf]) for s in sides]  # long organs are learnt in windows
    coarsest = max(narrow_mm / ACROSS, float(own.max()))
    spacing = own.copy()
    while max(np.prod(s / spacing) for s in sides) > CROP_VOXELS:
        axis = int(np.argmin(spacing))
        if spacing[axis] * 1.05 > coarsest:
            return _rounded(spacing), False
        spacing[axis] *= 1.05
    return _rounded(spacing), True


def _voxels(extent_mm, spacing: Triple) -> Shape:
    z, y, x = (max(1, math.ceil(e / s - 0.02)) for e, s in zip(extent_mm, spacing, strict=True))
    return z, y, x


def _multiple(shape: tuple[int, ...], factor: int) -> Shape:
    z, y, x = (math.ceil(n / factor) * factor for n in shape)
    return z, y, x


def _levels(least_side: int) -> int:
    """Levels of a U-Net whose deepest one has ``LEAST_SIDE`` voxels along the shortest side; 2 to 4."""
    return int(np.clip(1 + math.floor(math.log2(max(1, least_side / LEAST_SIDE))), 2, 4))


def _rounded(values) -> Triple:
    z, y, x = (round(float(v), 1 if v >= 1 else 2 if v >= 0.2 else 3) for v in values)
    return z, y, x


def _by(values: Triple) -> str:
    return " × ".join(f"{v:g}" for v in values)
