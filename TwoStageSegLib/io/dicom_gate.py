"""The geometry gate: only a complete, straight, regular stack of slices of one scan passes, in its true order.

ITK puts any set of slices into a straight grid and averages the spacing; contours drawn on such a grid lie elsewhere
in the patient. So whatever is missing, repeated, tilted or mixed is refused with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..errors import InputRefused
from ..geometry import Geometry
from .dicom_tags import Tags
from .plausible import MIN_SLICES

MAX_OFFSET_MM = 0.1  # how far a slice may lie from its place in the straight, regular grid
SAME_ANGLE = 1e-4  # largest difference of direction cosines within a series
PICTURES = {"LOCALIZER", "MIP", "MAXIMUM", "MINIP", "PROJECTION IMAGE", "VOLUME RENDERING", "SCREEN SAVE", "3D SURFACE"}
SLICE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.20": "NM",
}


def one_series(images: Sequence[Tags]) -> None:
    """Refuse several series, pictures among the slices, colour, multi-frame objects and mixed kinds of slices."""
    series = list(dict.fromkeys(t.series for t in images))
    if len(series) > 1:
        texts = []
        for number, uid in enumerate(series, 1):
            own = [t for t in images if t.series == uid]
            texts.append(f"{number}: {own[0].modality[:16]}, {len(own)} files of {own[0].columns} x {own[0].rows}")
        listing = "; ".join(texts[:8]) + ("; ..." if len(texts) > 8 else "")
        raise InputRefused(
            "E_MIXED_SERIES",
            f"The folder holds {len(series)} series ({listing}). Put one series into a folder of its own.",
        )
    n = len(images)
    _refuse_some(images, [t.frames > 1 for t in images], "E_MULTIFRAME", "hold many frames; export single slices")
    _refuse_some(
        images, [t.samples > 1 for t in images], "E_COMPONENTS", "are in colour; they are pictures, remove them"
    )
    picture = [bool(PICTURES & set(t.image_type)) or t.sop_class not in SLICE_CLASSES for t in images]
    _refuse_some(images, picture, "E_LOCALISER", "are a localiser, a screenshot or another picture; remove them")
    if len({t.modality for t in images}) > 1:
        raise InputRefused("E_MIXED_SERIES", "The slices are of different modalities. Separate the scans.")
    derived = sum("DERIVED" in t.image_type for t in images)
    if 0 < derived < n:
        raise InputRefused(
            "E_MIXED_SERIES", f"{derived} of {n} slices are derived images, the others original. Separate them."
        )
    _refuse_some(images, [not t.complete for t in images], "E_TRUNCATED", "end early; copy or export the series again")
    unfit = [not t.fitting for t in images]
    _refuse_some(images, unfit, "E_READ", "hold another number of pixels than they say; export the series again")
    inverted = [t.inverted for t in images]
    _refuse_some(images, inverted, "E_FORMAT", "store grey values inverted (MONOCHROME1); export as MONOCHROME2")
    wrong = ("none", "bad") if images[0].modality == "CT" else ("bad",)
    missing = [t.rescale in wrong for t in images]
    _refuse_some(images, missing, "E_HU_OFFSET", "lack a rescale to HU that can be used; export the series with it")


def straight_grid(images: Sequence[Tags]) -> tuple[list[Tags], Geometry]:
    """The slices in the order of their positions, and their grid; refuses all but one straight regular stack."""
    n = len(images)
    if n == 1:
        raise InputRefused("E_DIM", "The folder holds a single slice; a 3D volume is needed. Load the whole series.")
    if n < MIN_SLICES:
        raise InputRefused(
            "E_TOO_FEW_SLICES", f"The folder holds {n} slices; at least {MIN_SLICES} are needed. Load the whole series."
        )
    axes = _common_axes(images)
    normal = axes[:, 2]
    position = np.array([t.position for t in images], float)
    along = position @ normal
    order = np.argsort(along, kind="stable")
    position, along = position[order], along[order]
    _check_steps(along)
    sideways = position - position[0]
    sideways = sideways - np.outer(sideways @ normal, normal)
    if np.linalg.norm(sideways, axis=1).max() > MAX_OFFSET_MM:
        worst = float(np.linalg.norm(sideways, axis=1).max())
        raise InputRefused(
            "E_TILT",
            f"The slices are shifted sideways by up to {worst:.1f} mm (gantry tilt). Resample to a straight grid.",
        )
    first = images[0]
    origin = position[0] + 0.0
    step = float(along[-1] - along[0]) / (n - 1)
    geometry = Geometry(
        (n, first.rows, first.columns),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        (first.spacing[1], first.spacing[0], step),
        tuple((float(r[0]), float(r[1]), float(r[2])) for r in axes),
    )
    return [images[i] for i in order], geometry


def _common_axes(images: Sequence[Tags]) -> np.ndarray:
    """The 3x3 axes that all slices share: columns are the directions of rising column, row and slice."""
    first = images[0]
    for t in images:
        if len(t.orientation) != 6 or len(t.position) != 3 or len(t.spacing) != 2:
            raise InputRefused(
                "E_GEOMETRY", "A slice lacks position, orientation or pixel spacing. Export the series again."
            )
        if not np.isfinite([*t.orientation, *t.position, *t.spacing]).all():
            raise InputRefused(
                "E_GEOMETRY", "A slice's position or orientation is not a number. Export the series again."
            )
        same = np.abs(np.subtract(t.orientation, first.orientation)).max() < SAME_ANGLE
        if (
            (t.rows, t.columns) != (first.rows, first.columns)
            or not np.allclose(t.spacing, first.spacing, 1e-4)
            or not same
        ):
            raise InputRefused(
                "E_MIXED_SERIES", "The slices differ in size, spacing or orientation. Separate the scans."
            )
    if len({t.frame_of_reference for t in images}) > 1:
        raise InputRefused("E_MIXED_SERIES", "The slices belong to different frames of reference. Separate the scans.")
    if min(first.spacing) <= 0:
        raise InputRefused("E_SPACING", "The pixel spacing is not positive. Export the series again.")
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > 1e-3 or abs(row @ column) > 1e-3:
        raise InputRefused(
            "E_GEOMETRY", "The slices' orientation is not two unit vectors at right angles. Export it again."
        )
    row /= lengths[0]
    column -= row * (row @ column)
    column /= np.linalg.norm(column)
    return np.column_stack([row, column, np.cross(row, column)])


def _check_steps(along_mm: np.ndarray) -> None:
    """Refuse repeated positions, gaps and varying spacing; ``along_mm`` is sorted."""
    steps = np.diff(along_mm)
    usual = float(np.median(steps))
    repeated = np.flatnonzero(steps < min(0.01, 0.1 * usual) if usual > 0.01 else steps < 0.01)
    if repeated.size:
        phases = max(Counter(np.round(along_mm, 2)).values())
        place = along_mm[repeated[0]]
        raise InputRefused(
            "E_DUPLICATE_POSITION",
            f"{repeated.size} slices repeat a position, the first at {place:.1f} mm (up to {phases} times: phases of a "
            "4D scan?). Separate them.",
        )
    regular = along_mm[0] + np.arange(len(along_mm)) * (along_mm[-1] - along_mm[0]) / (len(along_mm) - 1)
    if np.abs(along_mm - regular).max() <= min(MAX_OFFSET_MM, 0.05 * usual):
        return
    counts = steps / usual
    gaps = np.flatnonzero(np.round(counts) >= 2)
    if gaps.size and np.abs(counts - np.round(counts)).max() < 0.1:
        lost = int((np.round(counts[gaps]) - 1).sum())
        place = along_mm[gaps[0]]
        raise InputRefused(
            "E_MISSING_SLICE",
            f"{lost} slices are missing, the first after the one at {place:.1f} mm. Copy the whole series again.",
        )
    raise InputRefused(
        "E_SPACING",
        f"The slices lie {steps.min():.2f} to {steps.max():.2f} mm apart. Resample the scan to one spacing first.",
    )


def _refuse_some(images: Sequence[Tags], bad: Sequence[bool], code: str, what: str) -> None:
    if count := sum(bad):
        raise InputRefused(code, f"{count} of {len(images)} files {what}.")
