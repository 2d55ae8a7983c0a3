"""Crops: a regular grid laid into a volume, sampled from it and put back onto it, without touching the rest.

A :class:`Grid` lives in the index space of the *standard* array (``Volume.standard``) and follows its axes, so
sampling is separable: three small matrix products per crop, exact for linear interpolation. Downsampling widens the
linear kernel to the output step (a triangle filter), so that fine scans lose noise instead of aliasing it. The filter
is a normalised sum over voxels: at a fractional step its centre of mass lies up to 0.09 voxels beside the sample.

Speed: the weight matrices are banded and multiplied block by block; slices are turned into float32 a few at a time.
Where only a coarse picture is wanted the array is ``thinned``: of each axis four voxels under a triangle are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry, rounded

CHUNK_VOXELS = 2**18  # voxels held in float32 at a time: 1 MB, which stays in the processor's cache
BAND_ROWS = 8  # rows of a weight matrix multiplied at once; more rows touch more zeros
WIDE_ROWS = 32  # the same when there are more samples than voxels, whose rows share most of their columns


@dataclass(frozen=True)
class Grid:
    """Sample ``k`` along an axis lies at index ``start + k * step`` of the standard array (all ``(z, y, x)``)."""

    start: tuple[float, float, float]
    step: tuple[float, float, float]
    shape: tuple[int, int, int]

    @classmethod
    def centred(cls, geometry: Geometry, centre_lps, spacing_zyx_mm, shape) -> Grid:
        """A grid of ``shape`` samples, ``spacing_zyx_mm`` apart, centred on a point of a standard geometry."""
        step = np.asarray(spacing_zyx_mm, float) / np.asarray(geometry.spacing_zyx_mm)
        start = geometry.lps_to_index(centre_lps) - step * (np.asarray(shape) - 1) / 2
        start = rounded(start)  # the same crop for the same scan, whatever its orientation on disk
        return cls(_triple(start), _triple(step), (int(shape[0]), int(shape[1]), int(shape[2])))

    def to_lps(self, geometry: Geometry, index_zyx) -> NDArray[np.float64]:
        """LPS mm of (fractional) indices into this grid."""
        return geometry.index_to_lps(np.asarray(self.start) + np.asarray(index_zyx, float) * np.asarray(self.step))

    def under(self, shape_zyx) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """(first index, shape) of the array voxels whose centres lie within the grid, clipped to ``shape_zyx``."""
        start, step = np.asarray(self.start), np.asarray(self.step)
        lo = np.maximum(np.ceil(start - step / 2 - 1e-9), 0).astype(int)
        hi = np.minimum(np.floor(start + (np.asarray(self.shape) - 0.5) * step + 1e-9) + 1, shape_zyx).astype(int)
        n = np.maximum(hi - lo, 0)
        if (n == 0).any():
            n[:] = 0
        return (int(lo[0]), int(lo[1]), int(lo[2])), (int(n[0]), int(n[1]), int(n[2]))

    def cut(self, box: tuple[slice, slice, slice]) -> Grid:
        """The samples of an index box ``(z, y, x)``."""
        z, y, x = (float(s + b.start * d) for s, b, d in zip(self.start, box, self.step, strict=True))
        return Grid((z, y, x), self.step, (_length(box[0]), _length(box[1]), _length(box[2])))

    def over(self, first, last) -> Grid:
        """The samples between two indices (z, y, x) of the array, and the next ones beyond; at least one per axis."""
        begins = (np.asarray(first, float) - self.start) / self.step
        ends = (np.asarray(last, float) - self.start) / self.step
        low = np.clip(np.floor(begins), 0, np.asarray(self.shape) - 1).astype(int)
        high = np.clip(np.ceil(ends) + 1, low + 1, self.shape).astype(int)
        z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return self.cut((z, y, x))

    def inverse(self, lo, shape) -> Grid:
        """The grid of the standard array's own voxels ``lo .. lo+shape-1`` expressed in this grid's indices."""
        start = (np.asarray(lo, float) - self.start) / self.step
        return Grid(_triple(start), _triple(1 / np.asarray(self.step)), (int(shape[0]), int(shape[1]), int(shape[2])))


def sample(
    array_zyx: NDArray, grid: Grid, outside: float, floor: float | None = None, thinned: bool = False
) -> NDArray[np.float32]:
    """Sample an array on a grid, linearly (triangle-filtered when downsampling).

    Parameters
    ----------
    array_zyx : ``(z, y, x)`` array, any real dtype; only the part under the grid is read.
    grid : where to sample, in the array's index space.
    outside : value of samples more than half a voxel outside the array.
    floor : smaller values count as this one before they are averaged (for CT -1024: scanners fill what lies outside
        their circular field of view with -2000 or -3024, which must not leak into the samples beside it).
    thinned : read only as many voxels along each axis as leave four under each triangle: for a grid of 6 mm every
        third of 1 mm. The centre of mass stays within 0.05 steps.

    Returns
    -------
    float32 array of ``grid.shape``.
    """
    every = [max(1, int(d / 2)) if thinned else 1 for d in grid.step]
    axes = [
        _weights(n, s, d, k, e)
        for n, s, d, k, e in zip(array_zyx.shape, grid.start, grid.step, grid.shape, every, strict=True)
    ]
    (_, wz), (_, wy), (_, wx) = axes
    part = array_zyx[tuple(where for where, _ in axes)]
    if part.size == 0:
        return np.full(grid.shape, outside, np.float32)
    in_plane = _contract_slices(part, wy, wx, floor).reshape(len(part), -1)
    flat = np.empty((grid.shape[0], in_plane.shape[1]), np.float32)
    for rows, cols in _bands(wz):
        np.matmul(wz[rows, cols], in_plane[cols], out=flat[rows])
    out = flat.reshape(grid.shape)
    covered = [w.sum(1) for w in (wz, wy, wx)]
    if not all((c > 0.5).all() for c in covered):
        inside = covered[0][:, None, None] * covered[1][None, :, None] * covered[2][None, None, :]
        out += outside * (1 - inside)
    return out


def place(crop: NDArray[np.float32], grid: Grid, shape_zyx) -> tuple[tuple[int, int, int], NDArray[np.float32]]:
    """Interpolate a crop onto the standard array's own voxels.

    Returns ``(start, values)``: values for the voxels whose centres lie within the crop (clipped to the array of
    ``shape_zyx``), and the index of the first one. ``values`` may be empty.
    """
    first, shape = grid.under(shape_zyx)
    if min(shape) == 0:
        return first, np.zeros((0, 0, 0), np.float32)
    return first, sample(crop, grid.inverse(first, shape), 0.0)


def _weights(n_in: int, start: float, step: float, n_out: int, every: int = 1) -> tuple[slice, NDArray[np.float32]]:
    """Interpolation matrix of one axis, and the inputs that it touches; of these, the multiples of ``every``.

    Rows sum to 1, or are zero where the sample lies outside the array.
    """
    position = start + step * np.arange(n_out)
    inside = (position >= -0.5 - 1e-6) & (position <= n_in - 0.5 + 1e-6)
    if not inside.any():
        return slice(0, 0), np.zeros((n_out, 0), np.float32)
    clamped = np.clip(position, 0, n_in - 1)
    half_width = max(1.0, step)
    lo = max(0, int(np.floor(clamped[inside].min() - half_width)))
    hi = min(n_in, int(np.ceil(clamped[inside].max() + half_width)) + 1)
    used = slice(-(-lo // every) * every, hi, every)
    distance = np.abs(np.arange(n_in)[used][None, :] - clamped[:, None])
    weight = np.maximum(0.0, 1 - distance / half_width)
    weight[~inside] = 0
    weight /= np.maximum(weight.sum(1, keepdims=True), 1e-12)
    return used, weight.astype(np.float32)


def _contract_slices(
    part: NDArray, wy: NDArray[np.float32], wx: NDArray[np.float32], floor: float | None
) -> NDArray[np.float32]:
    """Apply the in-plane weights to every slice: ``(z, y, x)`` to ``(z, len(wy), len(wx))``.

    A few slices at a time are copied to contiguous float32: the whole part never exists in float32, and the products
    see the same memory layout, so give the same bits, whichever way the input's axes run.
    """
    depth, height, width = part.shape
    out = np.empty((depth, len(wy), len(wx)), np.float32)
    bands_y, bands_x = _bands(wy), _bands(wx)
    count = max(1, CHUNK_VOXELS // (height * width))
    raised = np.empty((min(count, depth), height, width), np.float32) if floor is not None else None
    rows_of = np.empty((min(count, depth), len(wy), width), np.float32)
    for z in range(0, depth, count):
        if raised is None:
            chunk = np.ascontiguousarray(part[z : z + count], np.float32)
        else:
            chunk = raised[: min(count, depth - z)]
            np.copyto(chunk, part[z : z + count], casting="unsafe")
            if chunk.min() < floor:  # looking is faster than raising, and most slices need none
                np.maximum(chunk, np.float32(floor), out=chunk)
        rows_done = rows_of[: len(chunk)]
        for rows, cols in bands_y:
            np.matmul(wy[rows, cols], chunk[:, cols], out=rows_done[:, rows])
        for rows, cols in bands_x:
            np.matmul(rows_done[:, :, cols], wx[rows, cols].T, out=out[z : z + count, :, rows])
    return out


def _bands(weight: NDArray[np.float32]) -> list[tuple[slice, slice]]:
    """Blocks of rows of a banded matrix with the columns they touch; outside the blocks it is zero."""
    bands = []
    height = BAND_ROWS if weight.shape[1] > len(weight) else WIDE_ROWS
    for first in range(0, len(weight), height):
        rows = slice(first, min(first + height, len(weight)))
        used = np.flatnonzero(weight[rows].any(0))
        cols = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
        bands.append((rows, cols))
    return bands


def _length(part: slice) -> int:
    return int(part.stop - part.start)


def _triple(values) -> tuple[float, float, float]:
    z, y, x = (float(v) for v in values)
    return z, y, x
