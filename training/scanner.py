"""Put a body-cropped training scan where a user's CT has it: 500 mm field, 1 mm pixels, couch, head-rest, noise.

For measuring only (``evaluate --surroundings``). Nothing here is shared with ``surroundings.py``, which paints the
training crops, so that the measurement is not of what the network was shown.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.grid import Grid, sample
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.volume import Volume

from .data.prepared import Case

PIXELS = 512
FIELD_MM = 500.0


def embed(case: Case) -> Volume:
    """The case at 512 x 512 pixels of about 1 mm on a couch, shifted in the field, with noise. Same slices."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    grid = _grid(case)
    body = sample(case.ct, grid, -1024.0)
    inside = sample((case.outside == 0).astype(np.float32), grid, 0.0)
    scene = np.full(body.shape, -1000.0, np.float32)
    _add_couch(scene, inside, rng)
    _add_headrest(scene, inside, rng)
    scan = np.where(inside > 0.5, body, np.maximum(scene, np.where(inside > 0, body, -1000)))
    scan += rng.normal(0, 18, scan.shape).astype(np.float32)
    pixel = FIELD_MM / PIXELS
    shape = (scan.shape[0], PIXELS, PIXELS)
    return Volume(
        np.clip(np.rint(scan), -1024, 3071).astype(np.int16),
        Geometry(shape, (-250.0, -250.0, 0.0), (pixel, pixel, case.spacing_zyx_mm[0])),
        "CT",
    )


def embedded_mask(case: Case, organ: str, volume: Volume) -> Mask:
    """The reference of one organ on the embedded scan: its label interpolated linearly, cut at one half."""
    label = (case.labels == case.value(organ)).astype(np.float32)
    return Mask(organ, sample(label, _grid(case), 0.0) > 0.5, (0, 0, 0), volume.geometry).trimmed()


def own_voxels(mask: Mask, case: Case) -> Mask:
    """A mask on the embedded scan as the case's own voxels see it: share of each covered, cut at one half.

    Dice depends on the voxel size, so what a couch costs can only be told on the same voxels.
    """
    there = _grid(case)
    start, step = np.asarray(there.start), np.asarray(there.step)
    z, y, x = case.ct.shape
    back = Grid(tuple(-start / step), tuple(1 / step), (z, y, x))
    share = sample(mask.full().astype(np.float32), back, 0.0)
    sz, sy, sx = case.spacing_zyx_mm
    return Mask(mask.organ, share > 0.5, (0, 0, 0), Geometry((z, y, x), (0.0, 0.0, 0.0), (sx, sy, sz))).trimmed()


def _grid(case: Case) -> Grid:
    """Where the pixels of the large field lie in the case's array: body off-centre by up to 20 mm."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + 1)
    step = np.array([1.0, *(FIELD_MM / PIXELS / np.asarray(case.spacing_zyx_mm[1:]))])
    offset = rng.uniform(-20, 20, 2) / np.asarray(case.spacing_zyx_mm[1:])
    start = (np.asarray(case.ct.shape[1:]) - 1) / 2 + offset - step[1:] * (PIXELS - 1) / 2
    return Grid(
        (0.0, float(start[0]), float(start[1])),
        (1.0, float(step[1]), float(step[2])),
        (case.ct.shape[0], PIXELS, PIXELS),
    )


def _add_couch(scene: NDArray, inside: NDArray, rng: np.random.Generator) -> None:
    """A carbon-fibre table under the lowest point of the back: curved top, dense skin of 3 mm, foam of 50 mm."""
    back = int(np.flatnonzero((inside > 0.5).any((0, 2)))[-1])
    x = np.arange(PIXELS) - PIXELS / 2
    top = min(back + 2, PIXELS - 8) - (rng.random() < 0.5) * (x / 240) ** 2 * 18
    y = np.arange(PIXELS)[:, None]
    wide = np.abs(x) < 225
    scene[:, (y > top + 3) & (y < top + 53) & wide] = -930
    scene[:, (((y >= top) & (y <= top + 3)) | ((y >= top + 53) & (y <= top + 56))) & wide] = rng.uniform(-150, 150)


def _add_headrest(scene: NDArray, inside: NDArray, rng: np.random.Generator) -> None:
    """A plastic cradle round the back of the head in the upper part of the scan, 3 mm thick, filled with foam."""
    first = int(inside.shape[0] * rng.uniform(0.45, 0.6))
    head = (inside[first:] > 0.5).any(0)
    rows, columns = np.nonzero(head)
    cy, cx = rows.mean(), columns.mean()
    ry, rx = (rows.max() - rows.min()) / 2 + 6, (columns.max() - columns.min()) / 2 + 6
    y, x = np.mgrid[:PIXELS, :PIXELS]
    radius = np.hypot((y - cy) / ry, (x - cx) / rx)
    behind = y > cy + 0.2 * ry
    scene[first:, behind & (radius > 1.0) & (radius < 1.0 + 3 / rx)] = rng.uniform(0, 200)
    scene[first:, behind & (radius >= 1.0 + 3 / rx) & (radius < 1.0 + 25 / rx)] = -900
