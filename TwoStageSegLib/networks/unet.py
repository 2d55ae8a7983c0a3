"""U-Net in two or three dimensions, with group normalisation.

Sources: Cicek 2016 (3D U-Net); Smith (papers/002), "Implementation": 3D U-Net, GroupNorm after each layer because
batches are small. ``skips=False`` and ``norm_last=True`` give the network of 002's published code, whose skip
connections are commented out and which normalises after the ReLU.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """Encoder-decoder with skip connections; any spatial size that is a multiple of ``self.multiple``.

    Parameters
    ----------
    dims : 2 or 3.
    inputs, outputs : channels in and out. The output is logits.
    widths : channels of each level, finest first; ``len(widths) - 1`` poolings by 2.
    groups : groups of each GroupNorm (clipped to the width).
    skips : concatenate the encoder's features in the decoder.
    norm_last : conv, ReLU, norm instead of conv, norm, ReLU.

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
    ):
        super().__init__()
        conv, up, pool = (
            (nn.Conv3d, nn.ConvTranspose3d, nn.MaxPool3d)
            if dims == 3
            else (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d)
        )
        self.skips = skips
        self.multiple = 2 ** (len(widths) - 1)

        def block(cin: int, cout: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for c in (cin, cout):
                norm: list[nn.Module] = [nn.GroupNorm(min(groups, cout), cout), nn.ReLU(inplace=True)]
                layers += [conv(c, cout, 3, padding=1, bias=False), *(norm[::-1] if norm_last else norm)]
            return nn.Sequential(*layers)

        self.down = nn.ModuleList(block(a, b) for a, b in zip((inputs, *widths[:-1]), widths, strict=True))
        self.pool = pool(2)
        deep_to_fine = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(up(a, b, 2, stride=2) for a, b in deep_to_fine)
        self.merge = nn.ModuleList(block(2 * b if skips else b, b) for _, b in deep_to_fine)
        self.head = conv(widths[0], outputs, 1)
        for module in self.modules():
            # on the meta device there is nothing to fill, and trying imports torch._dynamo: 1.2 s at every start
            if isinstance(module, (conv, up)) and not module.weight.is_meta:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        features = []
        for i, down in enumerate(self.down):
            x = down(x if i == 0 else self.pool(x))
            features.append(x)
        for up, merge, skip in zip(self.up, self.merge, features[-2::-1], strict=True):
            x = up(x)
            x = merge(torch.cat((skip, x), 1) if self.skips else x)
        return cast(Tensor, self.head(x))
