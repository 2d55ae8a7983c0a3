"""CenterNet on ResNet18: a heatmap of the organ's centre, slice by slice (Li, papers/000, after Zhou 2019).

The paper says ResNet18 down, an upsampling path, a Gaussian heatmap; the layers are those of CenterNet's ResNet18
variant: three transposed convolutions and a small head. No size or offset head: the peak is refined by the centroid.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from .blocks import Network, he_normal
from .resnet import WIDTHS, Trunk

RARE_LOGIT = -2.19  # sigmoid = 0.1: cells are background until shown otherwise


class CenterNet(Network):
    """Heatmap at a quarter of the resolution: one cell is ``self.stride`` pixels wide.

    Parameters
    ----------
    outputs : organs, one heatmap each.
    widths : channels of the four ResNet stages. up : channels of the three up steps. hidden : of the head.

    Shapes: ``(n, inputs, H, W)``, sides multiples of 32 -> ``(n, outputs, H/4, W/4)`` logits (192 -> 48).
    """

    stride = 4

    def __init__(
        self,
        inputs: int = 1,
        outputs: int = 1,
        widths: tuple[int, ...] = WIDTHS,
        up: tuple[int, ...] = (256, 256, 256),
        hidden: int = 64,
    ):
        super().__init__()
        self.multiple = 32
        self.trunk = Trunk(inputs, widths)
        if len(up) != 3:
            raise ValueError("the up path has three steps, from 1/32 to 1/4")
        self.up = nn.Sequential(
            *(_up(a, b) for a, b in zip((widths[-1], *up[:-1]), up, strict=True)),
        )
        self.head = nn.Sequential(
            nn.Conv2d(up[-1], hidden, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(hidden, outputs, 1)
        )
        he_normal(self)
        nn.init.constant_(cast(Tensor, self.head[-1].bias), RARE_LOGIT)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.up(self.trunk(x)[-1])))


def _up(inputs: int, width: int) -> nn.Sequential:
    """Twice the resolution."""
    conv = nn.ConvTranspose2d(inputs, width, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
