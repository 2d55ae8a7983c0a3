"""Cut a training crop out of a prepared case with one interpolation: centre, rotation, scale and mirror in one affine.

MONAI's and TorchIO's affine transforms work on crops that were cut (and interpolated) before; going from the scan's
own voxels to the augmented crop in one step keeps small organs sharp on 4 mm data, and costs only the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .data.prepared import Case

OTHER_SIDE = {"_L": "_R", "_R": "_L"}  # how TG-263 names the two organs of a pair


def mirrored(organ: str) -> str:
    """What an organ is in a mirror: the one of the other side, or itself."""
    side = OTHER_SIDE.get(organ[-2:])
    return organ[:-2] + side if side else organ


@dataclass(frozen=True)
class Pose:
    """Where and how a crop lies in a case.

    Parameters
    ----------
    centre_index : fractional voxel index (z, y, x) of the crop's centre.
    spacing_mm : crop spacing (z, y, x); shape : crop size in voxels.
    rotation : 3x3 acting on mm offsets (z, y, x). scale : factor on the offsets, one per axis.
    mirror : flip left-right; labels of paired organs change sides.
    """

    centre_index: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    rotation: NDArray[np.float64]
    scale: NDArray[np.float64]
    mirror: bool = False


@dataclass(frozen=True)
class Crop:
    """A sampled crop: ``ct`` HU and ``outside_mm`` of shape (D, H, W); ``labels`` (organs, D, H, W) in 0..1;
    ``known`` (organs,) says which label channels mean anything."""

    ct: Tensor
    outside_mm: Tensor
    labels: Tensor
    known: Tensor


def draw(case: Case, pose: Pose, organs: tuple[str, ...], ct: NDArray | None = None) -> Crop:
    """Sample CT, distance outside the body and the organs' labels of ``case`` at ``pose``.

    ``ct`` replaces the case's CT (a smoothed one, for coarse grids). Beyond the scan: air and no label. An organ that
    the case's data set does not have is unknown in it.
    """
    matrix = (pose.rotation * np.where([False, False, pose.mirror], -1.0, 1.0)) * pose.scale
    matrix = matrix / np.asarray(case.spacing_zyx_mm)[:, None]
    ranges = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(pose.shape, pose.spacing_mm, strict=True)]
    reach = np.abs(matrix) @ [r[-1] for r in ranges]
    lo = np.maximum(np.floor(pose.centre_index - reach) - 1, 0).astype(int)
    hi = np.minimum(np.ceil(pose.centre_index + reach) + 2, case.ct.shape).astype(int)
    # two voxels at least, also of a crop that lies wholly outside: with one, grid_sample repeats it everywhere
    lo = np.minimum(lo, np.asarray(case.ct.shape) - 2)
    hi = np.maximum(hi, lo + 2)
    box = tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))

    source = case.ct if ct is None else ct
    labels = case.labels[box]
    names = [mirrored(o) if pose.mirror else o for o in organs]
    none = np.zeros(labels.shape, bool)
    masks = [labels == case.value(o) if o in case.organs else none for o in names]
    channels = [source[box].astype(np.float32) - case.air, *masks]
    stack = torch.from_numpy(np.stack([c.astype(np.float32) for c in channels]))[None]
    distance = torch.from_numpy(case.outside[box].astype(np.float32))[None, None]

    grid = _grid(matrix, pose.centre_index - lo, ranges, np.asarray(hi - lo))
    sampled = F.grid_sample(stack, grid, align_corners=True, padding_mode="zeros")[0]
    outside = F.grid_sample(distance, grid, align_corners=True, padding_mode="border")[0, 0]
    beyond = (grid[0].abs() > 1).any(-1)
    outside = torch.where(beyond & (outside < 1), torch.full_like(outside, 1.0), outside)
    known = torch.tensor([o in case.known or o in case.absent for o in names])
    return Crop(sampled[0] + case.air, outside, sampled[1:], known)


def _grid(matrix: NDArray, centre: NDArray, ranges: list[NDArray], size: NDArray) -> Tensor:
    """grid_sample's grid (1, D, H, W, 3) with (x, y, z) in -1..1 over a box of ``size`` voxels."""
    z, y, x = (torch.from_numpy(r.astype(np.float32)) for r in ranges)
    m = torch.from_numpy(matrix.astype(np.float32))
    index = [
        m[i, 0] * z[:, None, None] + m[i, 1] * y[None, :, None] + m[i, 2] * x[None, None, :] + float(centre[i])
        for i in range(3)
    ]
    unit = [2 * p / max(int(n) - 1, 1) - 1 for p, n in zip(index, size, strict=True)]
    return torch.stack(unit[::-1], -1)[None]
