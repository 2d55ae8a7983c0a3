"""The locator's coarse grid, and what its maps say: the largest component of an organ as a padded box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..geometry import Geometry
from ..grid import Grid
from ..manifest import OrganSpec
from ..region import Kind, Region
from ..volume import Volume
from .body import body_box, something_box
from .preprocess import Preprocess
from .used import used_box

FULL = np.ones((3, 3, 3), bool)  # 26-connectivity, as the largest component of papers/002


def coarse_body(volume: Volume, spacing_zyx_mm, preprocess: Preprocess) -> tuple[Grid, NDArray[np.float32]] | None:
    """The part of the scan that holds the body, in its own values on a coarse grid; None if there is no body."""
    geometry = volume.standard.geometry
    shape = np.maximum(np.ceil(geometry.extent_zyx_mm / np.asarray(spacing_zyx_mm)), 1).astype(int)
    centre = geometry.index_to_lps((np.asarray(geometry.shape_zyx) - 1) / 2)
    whole = Grid.centred(geometry, centre, spacing_zyx_mm, shape)
    part = whole if preprocess.spec.percentiles is not None else whole.over(*something_box(volume))
    values = preprocess.sampled(volume, part, thinned=True)
    box = body_box(values)
    return None if box is None else (part.cut(box), values[box])


def region_from_map(map_: NDArray[np.float32], grid: Grid, organ: OrganSpec, geometry: Geometry) -> Region:
    """One organ's probability map on ``grid`` (of a standard ``geometry``) as a Region.

    The box is that of the largest component above one half, grown by the organ's margin. The score is the mean
    probability inside times the component's share of everything above one half: two candidates make it unsure.
    """
    inside = map_ > 0.5
    box = used_box(inside)
    if box is None:
        return Region.not_located(organ.name, float(map_.max()))
    map_ = map_[box]  # most of the body holds nothing of one organ
    inside = inside[box]
    labels, count = ndimage.label(inside, FULL)
    share = 1.0
    if count > 1:
        mass = ndimage.sum_labels(map_, labels, np.arange(1, count + 1))
        best = int(np.argmax(mass)) + 1
        share = mass[best - 1] / mass.sum()
        inside = labels == best
        z, y, x = zip(box, ndimage.find_objects(labels)[best - 1], strict=True)
        box = _within(*z), _within(*y), _within(*x)
    score = float(map_[inside].mean() * share)
    if score < organ.located_score:
        return Region.not_located(organ.name, score)
    return box_region(box, score, grid, organ, geometry)


def box_region(where: tuple[slice, ...], score: float, grid: Grid, organ: OrganSpec, geometry: Geometry) -> Region:
    """A box of voxels of ``grid``, grown by the organ's margin, as an automatic Region."""
    step_mm = np.asarray(grid.step) * geometry.spacing_zyx_mm
    low = np.array([s.start - 0.5 for s in where]) - np.asarray(organ.margin_mm)[[4, 2, 0]] / step_mm
    high = np.array([s.stop - 0.5 for s in where]) + np.asarray(organ.margin_mm)[[5, 3, 1]] / step_mm
    centre = grid.to_lps(geometry, (low + high) / 2)
    size = ((high - low) * step_mm)[::-1]
    return Region.automatic(organ.name, Kind.BOX, score, organ.low_score, centre, size, geometry.direction)


def _within(outer: slice, part: slice) -> slice:
    """A part of a slice, as a slice of what that one is taken from."""
    return slice(outer.start + part.start, outer.start + part.stop)
