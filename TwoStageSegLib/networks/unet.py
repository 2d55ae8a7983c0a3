"""U-Net in two or three dimensions, with group or batch normalisation.

Sources: Cicek 2016 (3D U-Net); Smith (papers/002), "Implementation": 3D U-Net, GroupNorm after each layer because
batches are small. ``skips=False`` and ``norm_last=True`` give the network of 002's published code, whose skip
connections are commented out and which normalises after the ReLU. Li (papers/000), "Location and segmentation network":
2D and 3D U-Nets whose widths are not given, read as ``SLICE`` and ``CHUNK`` below. ``squeeze``: see seunet.py.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from .blocks import Network, SqueezeExcite, he_normal

SLICE: dict[str, Any] = {"dims": 2, "widths": (64, 128, 256, 512, 1024), "norm": "batch"}
"""2D U-Net of papers/000 on 112 x 112 crops (112 = 7 * 16)."""
# slices of 1 to 3 mm with 1 mm pixels: the first pooling is in plane only
CHUNK: dict[str, Any] = {"widths": (32, 64, 128, 256), "norm": "batch", "pools": ((1, 2, 2), (2, 2, 2), (2, 2, 2))}
"""3D U-Net of papers/000 on chunks of 32 slices."""


class UNet(Network):
    """Encoder-decoder with skip connections; any spatial size that is a multiple of ``self.multiples``.

    Parameters
    ----------
    dims : 2 or 3.
    inputs, outputs : channels in and out. The output is logits.
    widths : channels of each level, finest first; ``len(widths) - 1`` poolings.
    groups : groups of each GroupNorm (clipped to the width).
    skips : concatenate the encoder's features in the decoder.
    norm_last : conv, ReLU, norm instead of conv, norm, ReLU.
    norm : "group", or "batch", which wants batches of several samples.
    pools : factors (per axis) of each pooling, finest first; None for 2 everywhere.
    squeeze : reduction of the channel attention after each pair of convolutions; 0 for none.
    patch : side of the patches that the first convolution turns into one voxel each; the head turns each into so many
        voxels of every output again. All levels are that much coarser (and cheaper) than input and output.

    Shapes: ``(n, inputs, [D,] H, W)`` -> ``(n, outputs, [D,] H, W)``.
    """

    def __init__(
        self,
        dims: int = 3,
        inputs: int = 1,
        outputs: int = 1,
        widths: tuple[int, ...] = (16, 32, 64, 128),
        groups: int = 8,
        skips: bool = True,
        norm_last: bool = False,
        norm: str = "group",
        pools: tuple[tuple[int, ...], ...] | None = None,
        squeeze: int = 0,
        patch: int = 1,
    ):
        super().__init__()
        kinds: tuple[Any, ...] = (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d, nn.BatchNorm2d)
        if dims == 3:
            kinds = (nn.Conv3d, nn.ConvTranspose3d, nn.MaxPool3d, nn.BatchNorm3d)
        conv, up, pool, batch_norm = kinds
        if norm not in ("group", "batch"):
            raise ValueError(f"norm must be 'group' or 'batch', not {norm!r}")
        factors = pools or ((2,) * dims,) * (len(widths) - 1)
        self.skips = skips
        self.multiples = tuple(patch * math.prod(axis) for axis in zip(*factors, strict=True))
        self.multiple = math.lcm(*self.multiples)

        def block(cin: int, cout: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for c in (cin, cout):
                scale = batch_norm(cout) if norm == "batch" else nn.GroupNorm(min(groups, cout), cout)
                after: list[nn.Module] = [scale, nn.ReLU(inplace=True)]
                layers += [conv(c, cout, 3, padding=1, bias=False), *(after[::-1] if norm_last else after)]
            return nn.Sequential(*layers, *([SqueezeExcite(cout, squeeze)] if squeeze else []))

        self.embed = conv(inputs, widths[0], patch, stride=patch) if patch > 1 else nn.Identity()
        first = widths[0] if patch > 1 else inputs
        self.down = nn.ModuleList(block(a, b) for a, b in zip((first, *widths[:-1]), widths, strict=True))
        self.pools = nn.ModuleList(pool(f) for f in factors)
        steps = list(zip(widths[:0:-1], widths[-2::-1], factors[::-1], strict=True))  # deep to fine
        self.up = nn.ModuleList(up(a, b, f, stride=f) for a, b, f in steps)
        self.merge = nn.ModuleList(block(2 * b if skips else b, b) for _, b, _ in steps)
        head = conv if patch == 1 else up
        self.head = head(widths[0], outputs, patch, stride=patch)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        features = [x := self.down[0](self.embed(x))]
        for pool, down in zip(self.pools, list(self.down)[1:], strict=True):
            features.append(x := down(pool(x)))
        for up, merge, skip in zip(self.up, self.merge, features[-2::-1], strict=True):
            x = up(x)
            x = merge(torch.cat((skip, x), 1) if self.skips else x)
        return cast(Tensor, self.head(x))
