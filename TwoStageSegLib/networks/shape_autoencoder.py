"""The adversarial autoencoder of FocusNetv2: an organ's shape as a code (Gao, papers/004, section 3.3, Table 9).

Its losses are in training; a bundle does not hold it. Where Table 9 and the published code differ: the second FC layer
must give 256 * 8 * 8 values (Table 9 prints 256), and the result passes a sigmoid (Table 9: ReLU) because it is a mask.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import he_normal
from .small_organs import ROI


class ShapeCode(NamedTuple):
    """What the autoencoder says of a mask: ``latent`` (n, 512), the decoder's maps ``low`` (n, 128, d/4, h/4, w/4) and
    ``high`` (n, 64, d/2, h/2, w/2), and the ``mask`` (n, 1, d, h, w) in 0..1 that it makes of them."""

    latent: Tensor
    low: Tensor
    high: Tensor
    mask: Tensor


class ShapeAutoencoder(nn.Module):
    """Encodes a mask ``(n, 1, d, h, w)`` of 0..1 as a vector and decodes it; 31.1 M parameters at these widths.

    Parameters
    ----------
    widths : channels of the four convolutions down; the way up mirrors the first three.
    latent : length of the code. roi : size of the masks, multiples of 8.
    """

    def __init__(
        self,
        widths: tuple[int, int, int, int] = (64, 128, 128, 256),
        latent: int = 512,
        roi: tuple[int, int, int] = ROI,
    ):
        super().__init__()
        if any(n % 8 for n in roi):
            raise ValueError(f"the sides of {roi} must be multiples of 8")
        a, b, c, d = widths
        self.bottom = (d, *(n // 8 for n in roi))
        self.encoder = nn.Sequential(*_conv(1, a, 2), *_conv(a, b, 2), *_conv(b, c, 1), *_conv(c, d, 2))
        self.to_latent = nn.Linear(math.prod(self.bottom), latent)
        self.from_latent = nn.Linear(latent, math.prod(self.bottom))
        self.low = nn.Sequential(*_conv(d, c, 1), *_conv(c, b, 1))
        self.high = nn.Sequential(*_conv(b, a, 1))
        self.head = nn.Conv3d(a, 1, 5, padding=2)
        he_normal(self)

    def forward(self, mask: Tensor) -> ShapeCode:
        latent = self.to_latent(self.encoder(mask).flatten(1))
        bottom = self.from_latent(latent).relu().reshape(-1, *self.bottom)
        low = self.low(_doubled(bottom))
        high = self.high(_doubled(low))
        return ShapeCode(latent, low, high, self.head(_doubled(high)).sigmoid())


def _conv(inputs: int, width: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv3d(inputs, width, 5, stride, 2, bias=False), nn.BatchNorm3d(width), nn.ReLU(inplace=True)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)
