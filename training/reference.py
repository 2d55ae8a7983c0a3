"""From a prepared case to what the engine works with: its volume, its reference masks, and reference regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.volume import Volume

from .data.prepared import Case


def volume_of(case: Case) -> Volume:
    """The case as the engine sees it; the origin is arbitrary and set to zero."""
    z, y, x = case.spacing_zyx_mm
    shape = (case.ct.shape[0], case.ct.shape[1], case.ct.shape[2])
    return Volume(case.ct, Geometry(shape, (0.0, 0.0, 0.0), (x, y, z)), case.modality)


def mask_of(case: Case, organ: str, volume: Volume) -> Mask:
    return Mask(organ, case.labels == case.value(organ), (0, 0, 0), volume.geometry).trimmed()


def true_box(mask: Mask) -> Region:
    """The tight box around a reference mask (outer voxel faces), source REFERENCE."""
    return mask.tight_box()


def scaled(box: Region, factor: float) -> Region:
    assert box.size_mm is not None
    x, y, z = box.size_mm
    return replace(box, size_mm=(x * factor, y * factor, z * factor))


def shifted(box: Region, mm: float, rng: np.random.Generator) -> Region:
    """The box moved by ``mm`` in a random direction."""
    direction = rng.normal(size=3)
    x, y, z = np.asarray(box.centre_lps) + mm * direction / np.linalg.norm(direction)
    return replace(box, centre_lps=(float(x), float(y), float(z)))


def clicked(box: Region, mm: float, rng: np.random.Generator) -> Region:
    """A click on the box's centre that misses it by ``mm`` in a random direction."""
    return Region.click(box.organ, shifted(box, mm, rng).centre_lps)


def held(mask: Mask, region: Region) -> float:
    """Fraction of the mask's voxels whose centres lie inside the region's box."""
    points = mask.geometry.index_to_lps(np.argwhere(mask.voxels) + mask.start_zyx)
    assert region.size_mm is not None and region.centre_lps is not None
    offset = np.abs((points - region.centre_lps) @ np.asarray(region.axes))
    return float((offset <= np.asarray(region.size_mm) / 2 + 1e-6).all(1).mean())
