"""Random poses and intensities. Each draw is separate from its application, so that a sample can be replayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class PoseRange:
    """How far a crop may be turned, scaled and moved.

    rotation_deg : standard deviation about each axis (clipped at 2.5). scale : uniform, common to all axes.
    stretch : uniform, per axis. shift_mm : standard deviation of the centre's jitter per axis; one crop in five has
    ``far`` times of it, so that poor clicks are in distribution.
    """

    rotation_deg: float = 6.0
    scale: tuple[float, float] = (0.85, 1.18)
    stretch: float = 0.05
    shift_mm: float = 5.0
    far: float = 2.0


@dataclass(frozen=True)
class IntensityRange:
    """How far values may differ between scanners: a factor, an offset and noise in the image's units."""

    contrast: tuple[float, float] = (0.92, 1.08)
    offset: float = 15.0
    noise: float = 25.0


CT_SCANNERS = IntensityRange()


def random_pose(rng: np.random.Generator, r: PoseRange) -> tuple[NDArray, NDArray, NDArray]:
    """(rotation 3x3, scale (3,), shift in mm (3,)), axes (z, y, x)."""
    angles = np.deg2rad(np.clip(rng.normal(0, r.rotation_deg, 3), -2.5 * r.rotation_deg, 2.5 * r.rotation_deg))
    scale = rng.uniform(*r.scale) * rng.uniform(1 - r.stretch, 1 + r.stretch, 3)
    shift = rng.normal(0, r.shift_mm, 3) * (r.far if rng.random() < 0.2 else 1.0)
    return rotation_matrix(angles), scale, shift


def rotation_matrix(angles: NDArray) -> NDArray:
    """Rotation about z, then y, then x (radians), acting on (z, y, x) vectors."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [i for i in range(3) if i != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def intensity(ct: Tensor, rng: np.random.Generator, r: IntensityRange = CT_SCANNERS) -> Tensor:
    """Scanner differences: contrast, offset, blur or sharpening, noise of random strength and grain."""
    if rng.random() < 0.7:
        ct = ct * rng.uniform(*r.contrast) + rng.uniform(-r.offset, r.offset)
    if rng.random() < 0.3:
        smooth = _mean_around(ct, count_pad=False)
        ct = ct + rng.uniform(-0.6, 0.8) * (smooth - ct)
    if rng.random() < 0.6:
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        noise = torch.randn(ct.shape, generator=generator)
        if rng.random() < 0.5:
            noise = _mean_around(noise, count_pad=True) * 3.0
        ct = ct + noise * rng.uniform(0, r.noise)
    return ct


def _mean_around(image: Tensor, count_pad: bool) -> Tensor:
    """Mean over 3 voxels along each axis that has so many: of single slices, over 3 x 3 pixels."""
    kernel = [3 if n >= 3 else 1 for n in image.shape]
    return F.avg_pool3d(image[None, None], kernel, 1, [k // 2 for k in kernel], count_include_pad=count_pad)[0, 0]
