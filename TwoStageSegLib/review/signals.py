"""What the two stages know about each slice of an organ, almost for free: the inputs of the suspicion.

Every signal is in units that do not depend on the scan's resolution, so that a model fitted on 4 mm data holds on a
planning CT. Slices run along axis 0 of the standard array, feet to head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..mask import Mask
from ..volume import Volume
from .evidence import Evidence

REACH_MM = 5.0
"""Slices so far beyond the organ's ends are judged too: the organ may go on there."""

AROUND_MM = 9.0
"""How far around the mask the network's opinion counts, in plane."""

MAYBE = 0.1
AIR_HU = -1024.0  # what scanners write outside their field of view (-2000, -3024) is no density
SMALL_MM2 = 20.0
END_MM = 5.0
IN_PLANE = np.zeros((3, 3, 3), bool)
IN_PLANE[1] = True

Profile = NDArray[np.float64]


@dataclass(frozen=True)
class Slices:
    """The judged slices of one organ.

    ``index`` planes of the standard array; ``area_mm2`` of the mask; ``middle_lps`` (n, 3) where to look;
    ``gap`` and ``edge``: the mask is interrupted here, or touches the border of its crop; ``values``: a profile per
    signal (names in ``wording``; NaN where nothing is known; ``disagreement`` only if the crop was segmented twice);
    ``volume_ml``: of the whole mask.
    """

    index: NDArray[np.int64]
    area_mm2: Profile
    middle_lps: Profile
    gap: NDArray[np.bool_]
    edge: NDArray[np.bool_]
    values: dict[str, Profile]
    volume_ml: float


def measure(mask: Mask, evidence: Evidence, volume: Volume, density_hu: float, log_ml: float) -> Slices | None:
    """Signals of every slice of ``mask``, which may have been edited since; None if it is empty.

    Parameters
    ----------
    density_hu, log_ml : mean density and mean log volume (ml) of the organ in the training data.
    """
    if mask.empty:
        return None
    part = _around(mask.trimmed(), evidence, volume)
    m, p, first = part.mask, part.probability, part.first
    geometry = volume.standard.geometry
    dz, dy, dx = geometry.spacing_zyx_mm
    count = part.of_inner(_counts(part.inner_mask))
    area = count * dy * dx
    used = np.flatnonzero(count)
    middle = _middles(m, count, used)
    total, squares, overlap = p.sum((1, 2)), _dots(p, p), part.of_inner(_dots(p[part.inner], part.inner_mask))
    z = np.arange(len(count))
    end_mm = np.minimum(z - used[0], used[-1] - z) * dz
    height = max(1, int(used[-1] - used[0]))
    ml = float(count.sum()) * geometry.voxel_ml
    values = {
        "softness": 4 * (total - squares) * dy * dx / np.maximum(area, SMALL_MM2),
        "indecision": _indecision(m, p),
        "expected_error": 1 - 2 * overlap / np.maximum(total + count, 1e-6),
        "area": np.log(area + SMALL_MM2),
        "thinness": 1 - area / area.max(),
        "area_step": _steps(area),
        "sideways": _sideways(middle, count, (dz, dy, dx)),
        "end": np.exp(-np.maximum(end_mm, 0) / END_MM),
        "middle": ((z - used[0]) / height - 0.5) ** 2,
        "beyond": (end_mm < 0).astype(float),
        "pieces": part.of_inner(_pieces(part.inner_mask)),
        "density": np.abs(_density(part, count, density_hu) - density_hu),
        "location": np.full(len(z), np.nan if evidence.score is None else 1 - evidence.score),
        "volume": np.full(len(z), abs(np.log(max(ml, 1e-3)) - log_ml)),
    }
    if part.again is not None:
        values["disagreement"] = np.abs(part.again - p).sum((1, 2)) * dy * dx / np.maximum(area, SMALL_MM2)
    lps = geometry.index_to_lps(np.column_stack([z + first[0], middle + np.asarray(first[1:])]))
    gap = (count == 0) & (z > used[0]) & (z < used[-1])
    return Slices(z + first[0], area, lps, gap, _edges(m, evidence, first, volume), values, ml)


@dataclass(frozen=True)
class _Part:
    """The voxels around a mask: ``mask`` and ``probability`` (and that of a second look), of which ``first`` is the
    first index in the standard array; within it ``inner``, the mask's own box, and there ``density``."""

    mask: NDArray[np.bool_]
    probability: NDArray[np.float32]
    again: NDArray[np.float32] | None
    first: tuple[int, int, int]
    inner: tuple[slice, slice, slice]
    density: NDArray[np.float32]

    @property
    def inner_mask(self) -> NDArray[np.bool_]:
        return self.mask[self.inner]

    def of_inner(self, values: NDArray) -> Profile:
        """A profile of the mask's own slices as one of all slices; 0 beyond."""
        out = np.zeros(len(self.mask))
        out[self.inner[0]] = values
        return out


def _around(mask: Mask, evidence: Evidence, volume: Volume) -> _Part:
    standard = volume.standard
    start, voxels = mask.on_standard(volume)
    reach = np.maximum(np.ceil(np.array([REACH_MM, AROUND_MM, AROUND_MM]) / standard.geometry.spacing_zyx_mm), 1)
    lo = np.maximum(np.asarray(start) - reach, 0).astype(int)
    hi = np.minimum(np.add(start, voxels.shape) + reach, standard.voxels.shape).astype(int)
    shape = hi - lo
    inner_z, inner_y, inner_x = (
        slice(int(s - o), int(s - o + n)) for s, o, n in zip(start, lo, voxels.shape, strict=True)
    )
    m = np.zeros(shape, bool)
    m[inner_z, inner_y, inner_x] = voxels
    p = _laid(evidence.probability, evidence.start_zyx, lo, shape)
    again = None
    if evidence.again is not None:
        second = np.where(np.isnan(evidence.again), evidence.probability, evidence.again)
        again = _laid(second, evidence.start_zyx, lo, shape)
    here = tuple(slice(s, s + n) for s, n in zip(start, voxels.shape, strict=True))
    density = np.maximum(np.asarray(standard.voxels[here], np.float32), AIR_HU)
    first = (int(lo[0]), int(lo[1]), int(lo[2]))
    return _Part(m, p, again, first, (inner_z, inner_y, inner_x), density)


def _laid(values: NDArray[np.float32], start: tuple[int, int, int], lo: NDArray, shape: NDArray) -> NDArray[np.float32]:
    """``values``, whose first voxel is ``start``, on the box that begins at ``lo``; zero where they do not reach."""
    out = np.zeros(shape, np.float32)
    offset = np.asarray(start) - lo
    a, b = np.maximum(offset, 0), np.minimum(offset + values.shape, shape)
    if (b > a).all():
        source = tuple(slice(i - o, j - o) for i, j, o in zip(a, b, offset, strict=True))
        out[tuple(slice(i, j) for i, j in zip(a, b, strict=True))] = values[source]
    return out


def _middles(m: NDArray[np.bool_], count: Profile, used: NDArray[np.int64]) -> Profile:
    """(n, 2): in-plane centroid (y, x) of each slice in voxels; that of the nearest slice where it is empty."""
    safe = np.maximum(count, 1)
    y = m.sum(2) @ np.arange(m.shape[1]) / safe
    x = m.sum(1) @ np.arange(m.shape[2]) / safe
    nearest = used[np.abs(np.arange(len(count))[:, None] - used[None, :]).argmin(1)]
    return np.column_stack([y, x])[nearest]


def _dots(a: NDArray, b: NDArray) -> Profile:
    """Sum of a * b over each slice."""
    flat = a.reshape(len(a), 1, -1), b.reshape(len(b), -1, 1)
    return np.asarray(np.matmul(*flat), float)[:, 0, 0]


def _counts(m: NDArray[np.bool_]) -> Profile:
    """Voxels of each slice; slice by slice is six times as fast as along two axes."""
    return np.array([np.count_nonzero(plane) for plane in m], float)


def _indecision(m: NDArray[np.bool_], p: NDArray[np.float32]) -> Profile:
    """Mean of 4 p (1 - p) over the mask and whatever else may be organ: 0 if all is decided, 1 if nothing is."""
    band = m | (p > MAYBE)
    inside = p * band
    return 4 * (inside.sum((1, 2)) - _dots(inside, inside)) / np.maximum(_counts(band), 1)


def _steps(area: Profile) -> Profile:
    """Largest log ratio of a slice's area to its two neighbours'."""
    padded = np.log(np.pad(area, 1) + SMALL_MM2)
    return np.maximum(np.abs(padded[1:-1] - padded[:-2]), np.abs(padded[1:-1] - padded[2:]))


def _sideways(middle: Profile, count: Profile, spacing_zyx_mm: tuple[float, float, float]) -> Profile:
    """Distance of a slice's centroid from the line between its neighbours', per mm of slice distance."""
    where = middle * spacing_zyx_mm[1:]
    padded = np.pad(where, ((1, 1), (0, 0)), mode="edge")
    off = np.linalg.norm(where - (padded[:-2] + padded[2:]) / 2, axis=1) / spacing_zyx_mm[0]
    return np.where(count > 0, off, 0.0)


def _pieces(m: NDArray[np.bool_]) -> Profile:
    """Separate parts of each slice beyond the first, 8-connected, at most 3."""
    from scipy import ndimage  # half a second, which Slicer's start must not wait for

    labels, _ = ndimage.label(m, IN_PLANE)
    highest = np.maximum.accumulate(np.maximum(labels.max((1, 2)), 0))
    parts = np.diff(highest, prepend=0)
    return np.clip(parts - 1, 0, 3).astype(float)


def _density(part: _Part, count: Profile, usual: float) -> Profile:
    """Mean density of each slice's mask; the usual one where there is no mask."""
    total = part.of_inner(_dots(part.density, part.inner_mask))
    return np.where(count > 0, total / np.maximum(count, 1), usual)


def _edges(m: NDArray[np.bool_], evidence: Evidence, first: tuple[int, int, int], volume: Volume) -> NDArray[np.bool_]:
    """Slices in which the mask touches a face of the crop behind which the scan goes on."""
    out = np.zeros(len(m), bool)
    shape, whole = evidence.probability.shape, volume.standard.voxels.shape
    if 0 in shape:
        return out
    for axis in range(3):
        low, high = evidence.start_zyx[axis], evidence.start_zyx[axis] + shape[axis] - 1
        faces = [f for f, cut in ((low, low > 0), (high, high < whole[axis] - 1)) if cut]
        for face in faces:
            at = face - first[axis]
            if 0 <= at < m.shape[axis]:
                plane = np.asarray(m.take(at, axis), bool)
                if axis == 0:
                    out[at] |= plane.any()
                else:
                    out |= plane.any(1)
    return out
