"""What lies around a patient on a real scanner: couch, head-rest, mask, blankets, noise in the air.

The training CTs are blanked outside the body, a user's CT is not. These pieces are painted into the outside of a crop
(or of a whole scan, for measuring), from the distance outside the body and the position in mm, so that a network
never learns that outside means empty.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def paint(
    ct: Tensor, outside_mm: Tensor, spacing_mm: tuple[float, float, float], back_mm: float, rng: np.random.Generator
) -> Tensor:
    """Fill the outside of a crop with random surroundings.

    Parameters
    ----------
    ct : (D, H, W) HU. outside_mm : (D, H, W) distance outside the body, 0 inside.
    spacing_mm : voxel size (z, y, x).
    back_mm : how far behind the crop's first row the patient's back lies (the couch starts near there).
    """
    if rng.random() < 0.25 or not bool((outside_mm > 1).any()):
        return ct
    d, h, w = ct.shape
    z = (torch.arange(d, dtype=torch.float32) * spacing_mm[0])[:, None, None]
    y = (torch.arange(h, dtype=torch.float32) * spacing_mm[1])[None, :, None]
    x = ((torch.arange(w, dtype=torch.float32) - w / 2) * spacing_mm[2])[None, None, :]
    things = torch.full_like(ct, -1000.0)
    if rng.random() < 0.8:
        things = _couch(things, y, x, back_mm, rng)
    if rng.random() < 0.5:
        things = _headrest(things, outside_mm, z, y, back_mm, d * spacing_mm[0], rng)
    if rng.random() < 0.5:
        things = _mask(things, outside_mm, z, rng)
    if rng.random() < 0.3:
        things = _blob(things, z, y, x, (d * spacing_mm[0], h * spacing_mm[1], w * spacing_mm[2]), rng)
    # the half-voxel at the skin keeps the scan's own partial volume
    share = (outside_mm / 2).clamp(0, 1)
    return ct + share * (torch.maximum(things, ct) - ct)


def _couch(things: Tensor, y: Tensor, x: Tensor, back_mm: float, rng: np.random.Generator) -> Tensor:
    """A flat or curved table: dense shell, light core, dense shell; it may reach up to the skin."""
    top = back_mm + rng.uniform(-4, 25) + rng.choice([0.0, 1.0]) * x**2 * rng.uniform(-1, 1) / 1500
    top = top + x * np.tan(np.deg2rad(rng.uniform(-4, 4)))
    shell, core = rng.uniform(2, 10), rng.uniform(15, 80)
    depth = y - top
    wide = x.abs() < rng.uniform(180, 320)
    things = torch.where(wide & (depth > 0) & (depth < core), torch.full_like(things, rng.uniform(-990, -500)), things)
    dense = ((depth > 0) & (depth < shell)) | ((depth > core) & (depth < core + shell))
    return torch.where(wide & dense, torch.full_like(things, rng.uniform(-400, 500)), things)


def _headrest(
    things: Tensor, outside_mm: Tensor, z: Tensor, y: Tensor, back_mm: float, length: float, rng: np.random.Generator
) -> Tensor:
    """A cushion or shell that follows the back of the head and neck."""
    low, high = np.sort(rng.uniform(0, length, 2))
    near = (outside_mm > rng.uniform(0, 3)) & (outside_mm < rng.uniform(4, 40))
    behind = y > back_mm - rng.uniform(20, 140)
    return torch.where(near & behind & (z > low) & (z < high), torch.full_like(things, rng.uniform(-950, 250)), things)


def _mask(things: Tensor, outside_mm: Tensor, z: Tensor, rng: np.random.Generator) -> Tensor:
    """A thermoplastic mask: a thin shell on or just above the skin."""
    gap, thick = rng.uniform(0, 5), rng.uniform(1.5, 5)
    shell = (outside_mm > gap) & (outside_mm < gap + thick) & (z > rng.uniform(-60, 120))
    return torch.where(shell, torch.full_like(things, rng.uniform(-500, 200)), things)


def _blob(things: Tensor, z: Tensor, y: Tensor, x: Tensor, size: tuple[float, ...], rng: np.random.Generator) -> Tensor:
    """Something else in the field: a tube, a hand, a bolus."""
    cz, cy, cx = (rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(-size[2] / 2, size[2] / 2))
    rz, ry, rx = rng.uniform(5, 60, 3)
    ball = ((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    return torch.where(ball, torch.full_like(things, rng.uniform(-300, 300)), things)
