"""Slice pictures of one organ: CT with outlines in three planes, in radiological display.

Everything happens in the standard orientation (``Volume.standard``: z up, y back, x left), so that the patient's
right is on the picture's left and the front is up, whatever the file's orientation. Only the slices' own voxels are
read; they are upsampled first and the outlines drawn after it, so that coarse scans give crisp lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid, sample
from ..mask import Mask
from ..region import Kind, Region
from ..review.findings import SliceFinding
from ..volume import Standard, Volume, outside_value
from .lines import PLANES, SIZE_PX, Plane, cross, frame, grown, outline
from .png import Rgb, encode_png

SMALLEST_MM, AROUND, EDGE_MM = 90.0, 1.3, 25.0
CT_WINDOW = (-160.0, 240.0)  # level 40, width 400 HU
GREYS = 250
ORGAN, REFERENCE = GREYS, GREYS + 1  # palette entries behind the greys
WHITE: Rgb = (255, 255, 255)


@dataclass(frozen=True)
class Picture:
    """A picture of ``SIZE_PX`` pixels squared: ``side_mm`` across, cut at ``position_mm`` along LPS ``coordinate``."""

    plane: Plane
    png: bytes
    side_mm: float
    coordinate: str
    position_mm: float


@dataclass(frozen=True)
class _Crop:
    """A mask in the standard array: its voxels with one empty voxel around them, and where they begin."""

    voxels: NDArray[np.bool_]
    start: NDArray[np.int64]

    @property
    def used(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last standard index that is set, per axis."""
        ranges = [np.flatnonzero(self.voxels.any(tuple(b for b in range(3) if b != a))) for a in range(3)]
        return self.start + [r[0] for r in ranges], self.start + [r[-1] for r in ranges]


def organ_pictures(
    volume: Volume, region: Region, mask: Mask | None, reference: Mask | None, rgb: Rgb, ct: bool = True
) -> tuple[Picture, ...]:
    """Three pictures through an organ's centre: of its mask, else of its region, else of its reference.

    Parameters
    ----------
    volume, region, mask : the scan and what was found in it. reference : somebody's contour, drawn in dashed white.
    rgb : the organ's colour. ct : window the HU at 40/400; otherwise between the picture's 1st and 99th percentile.

    Returns
    -------
    Axial, coronal, sagittal picture; nothing if there is no place to show.
    """
    standard = volume.standard
    own, other = _crop(mask, standard), _crop(reference, standard)
    box = _box(region, standard)
    view = _centre_and_side(standard, own, box, other)
    if view is None:
        return ()
    brush = _Brush(standard, own, other, rgb, outside_value(volume.voxels), ct)
    return tuple(brush.picture(plane, *view, box, region) for plane in PLANES)


def slice_picture(
    volume: Volume, finding: SliceFinding, mask: Mask | None, reference: Mask | None, rgb: Rgb, ct: bool = True
) -> Picture:
    """The picture of one slice that a review names, cut where the views would jump; parameters as above."""
    standard = volume.standard
    own, other = _crop(mask, standard), _crop(reference, standard)
    centre = np.round(standard.geometry.lps_to_index(finding.centre_lps))
    centre[0] = finding.index
    extents = [(used[1] - used[0] + 1)[1:] for crop in (own, other) if crop is not None for used in (crop.used,)]
    in_plane = np.asarray(standard.geometry.spacing_zyx_mm)[1:]
    largest = max((float((extent * in_plane).max()) for extent in extents), default=0.0)
    side_mm = max(SMALLEST_MM, largest * AROUND + EDGE_MM)
    return _Brush(standard, own, other, rgb, outside_value(volume.voxels), ct).picture(PLANES[0], centre, side_mm)


@dataclass(frozen=True)
class _Brush:
    """Everything that the pictures of one organ have in common."""

    standard: Standard
    own: _Crop | None
    other: _Crop | None
    rgb: Rgb
    outside: float
    ct: bool

    def picture(
        self,
        plane: Plane,
        centre: NDArray[np.float64],
        side_mm: float,
        box: tuple[NDArray, NDArray] | None = None,
        region: Region | None = None,
    ) -> Picture:
        """Cut at ``centre`` (standard index), ``side_mm`` wide."""
        grid = _grid(plane, self.standard, centre, side_mm)
        values = _picture(sample(self.standard.voxels, grid, self.outside), plane)
        image = _grey(values, CT_WINDOW if self.ct else None)
        if self.own is not None:  # a darker rim keeps a light line visible on bone
            inside = _inside(plane, grid, self.own)
            image[grown(inside) & ~inside] //= 2
        for line, colour in _lines(plane, grid, self.own, self.other, box, region):
            image[line] = colour
        palette = (*((round(255 * g / (GREYS - 1)),) * 3 for g in range(GREYS)), self.rgb, WHITE)
        coordinate = 2 - plane.axis
        position = float(self.standard.geometry.index_to_lps(centre)[coordinate])
        return Picture(plane, encode_png(image, palette), side_mm, "xyz"[coordinate], position)


def _crop(mask: Mask | None, standard: Standard) -> _Crop | None:
    if mask is None or mask.empty:
        return None
    mask = mask.trimmed()
    order, flip = standard.axis_map.order, standard.axis_map.flip
    voxels = standard.axis_map.to_standard(mask.voxels)
    sizes = zip(standard.voxels.shape, (mask.start_zyx[a] for a in order), voxels.shape, flip, strict=True)
    start = np.array([n - s - k if f else s for n, s, k, f in sizes])
    return _Crop(np.pad(voxels, 1), start - 1)  # outlines interpolate between inside and outside, whatever the crop


def _box(region: Region, standard: Standard) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """First and last (fractional) standard index of a region's box, around it if it is oblique; a click is a point."""
    if not region.usable:
        return None
    points = np.array([region.centre_lps]) if region.size_mm is None else region.corners_lps()
    index = standard.geometry.lps_to_index(points)
    return index.min(0), index.max(0)


def _centre_and_side(
    standard: Standard, own: _Crop | None, box: tuple[NDArray, NDArray] | None, other: _Crop | None
) -> tuple[NDArray[np.float64], float] | None:
    """Where to cut (index of a voxel's centre) and how many mm a picture shows."""
    spacing = np.asarray(standard.geometry.spacing_zyx_mm)
    crop = own or other
    if own is None and box is not None:
        centre, size = (box[0] + box[1]) / 2, (box[1] - box[0]) * spacing
    elif crop is not None:
        lo, hi = crop.used
        centre, size = crop.start + np.argwhere(crop.voxels).mean(0), (hi - lo + 1) * spacing
    else:
        return None
    side = max(SMALLEST_MM, float(size.max()) * AROUND + EDGE_MM)
    if box is not None:  # the box is shown whole, whatever is in it
        side = max(side, 2 * float((np.maximum(box[1] - centre, centre - box[0]) * spacing).max()) + 12)
    centre = np.clip(np.round(centre), 0, np.asarray(standard.voxels.shape) - 1)
    if crop is not None:
        for axis in range(3):  # an organ may be hollow at its centre: cut where something is to be seen
            used = np.flatnonzero(crop.voxels.any(tuple(a for a in range(3) if a != axis))) + crop.start[axis]
            centre[axis] = used[np.argmin(np.abs(used - centre[axis]))]
    return centre, side


def _grid(plane: Plane, standard: Standard, centre: NDArray[np.float64], side_mm: float) -> Grid:
    step = side_mm / SIZE_PX / np.asarray(standard.geometry.spacing_zyx_mm)
    start = centre - step * (SIZE_PX - 1) / 2
    shape = np.full(3, SIZE_PX)
    start[plane.axis], step[plane.axis], shape[plane.axis] = centre[plane.axis], 1.0, 1
    z, y, x = (tuple(float(v) for v in values) for values in zip(start, step, shape, strict=True))
    return Grid((z[0], y[0], x[0]), (z[1], y[1], x[1]), (int(z[2]), int(y[2]), int(x[2])))


def _picture(values: NDArray, plane: Plane) -> NDArray:
    """The 2D picture of sampled values: rows downwards. z points up in the patient, so it is turned over."""
    flat = np.squeeze(values, plane.axis)
    return flat if plane.axis == 0 else flat[::-1]


def _grey(values: NDArray[np.float32], window: tuple[float, float] | None) -> NDArray[np.uint8]:
    low, high = window or np.percentile(values, (1, 99))
    return (np.clip((values - low) / max(high - low, 1e-6), 0, 1) * (GREYS - 1)).astype(np.uint8)


def _lines(
    plane: Plane,
    grid: Grid,
    own: _Crop | None,
    other: _Crop | None,
    box: tuple[NDArray, NDArray] | None,
    region: Region | None,
) -> Iterator[tuple[NDArray[np.bool_], int]]:
    """What is drawn, back to front: (pixels, palette entry)."""
    row, column = np.indices((SIZE_PX, SIZE_PX))
    if box is not None and region is not None:
        dashes = (row + column) // 5 % 2 == 0
        yield (frame(plane, grid, box) & dashes if region.kind == Kind.BOX else cross(plane, grid, box[0])), ORGAN
    if own is not None:
        yield outline(_inside(plane, grid, own)), ORGAN
    if other is not None:
        yield outline(_inside(plane, grid, other)) & ((2 * row + column) // 5 % 2 == 0), REFERENCE


def _inside(plane: Plane, grid: Grid, crop: _Crop) -> NDArray[np.bool_]:
    start = np.asarray(grid.start) - crop.start
    local = Grid((float(start[0]), float(start[1]), float(start[2])), grid.step, grid.shape)
    return _picture(sample(crop.voxels, local, 0.0), plane) >= 0.5
