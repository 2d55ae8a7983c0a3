"""The small organs' networks of FocusNetv2: where they are (SOL-Net), and what they are up close (SOS-Net).

Source: Gao (papers/004), sections 3.1.2 and 3.1.3, Table 10.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from .blocks import Network, he_normal
from .snet import SEResBlock

ROI = (8, 64, 64)  # voxels (z, y, x): 24 x 64 x 64 mm at the paper's 3 x 1 x 1 mm


class SOLNet(Network):
    """A heatmap of each small organ's centre from S-Net's last decoder features (section 3.1.2).

    Shapes: ``(n, inputs, D, H, W)`` -> ``(n, organs, D, H, W)`` logits; the sigmoid is compared with Gaussians.
    """

    def __init__(self, inputs: int = 32, outputs: int = 3, width: int = 32, squeeze: int = 2):
        super().__init__()
        self.block = SEResBlock(inputs, width, squeeze=squeeze)
        self.head = nn.Conv3d(width, outputs, 1)
        he_normal(self)

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.block(features)))


class SOSNet(Network):
    """The mask of one small organ in its region (section 3.1.3).

    Parameters
    ----------
    inputs : channels of what is pooled there. 66 as the paper describes it: S-Net's decoder features (32) and first
        level (32), the scan (1), the organ's heatmap (1). 1 for the scan alone, which is all that the published
        code's forward pass looks at.

    Shapes: ``(n, inputs, d, h, w)`` -> ``(n, 1, d, h, w)`` logits.
    """

    def __init__(self, inputs: int = 66, width: int = 32, squeeze: int = 2):
        super().__init__()
        self.blocks = nn.Sequential(
            SEResBlock(inputs, width, squeeze=squeeze), SEResBlock(width, width, squeeze=squeeze)
        )
        self.head = nn.Conv3d(width, 1, 1)
        he_normal(self)

    def forward(self, pooled: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.blocks(pooled)))


def peaks(heatmaps: Tensor) -> Tensor:
    """Index (z, y, x) of each heatmap's highest voxel: ``(n, organs, D, H, W)`` -> ``(n, organs, 3)`` int64."""
    height, width = heatmaps.shape[3:]
    first = heatmaps.flatten(2).argmax(2)
    return torch.stack((first // (height * width), first // width % height, first % width), -1)


def pool_region(maps: Tensor, centres: Tensor, roi: tuple[int, int, int] = ROI) -> Tensor:
    """Cut each sample's region out of its maps; gradients flow back into the maps.

    Parameters
    ----------
    maps : ``(n, C, D, H, W)``. centres : ``(n, 3)`` indices (z, y, x), one per sample.
    roi : size in voxels. The region keeps it: near a border it is moved inwards.

    Returns
    -------
    ``(n, C, *roi)``. Raises ValueError if the maps are smaller than the region.
    """
    size = maps.shape[2:]
    if any(n < r for n, r in zip(size, roi, strict=True)):
        raise ValueError(f"a region of {roi} voxels does not fit into maps of {tuple(size)}")
    pooled = []
    for sample, begin in zip(maps, region_start(centres, tuple(size), roi).tolist(), strict=True):
        z, y, x = (slice(b, b + r) for b, r in zip(begin, roi, strict=True))
        pooled.append(sample[:, z, y, x])
    return torch.stack(pooled)


def region_start(centres: Tensor, size: tuple[int, ...], roi: tuple[int, int, int] = ROI) -> Tensor:
    """First index ``(n, 3)`` of the regions around ``centres``, clamped so that each lies inside maps of ``size``."""
    length = torch.tensor(roi, device=centres.device)
    last = torch.tensor(size, device=centres.device) - length
    return torch.minimum((centres - length // 2).clamp(min=0), last)
