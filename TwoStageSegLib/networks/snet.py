"""S-Net, the main network of FocusNetv2 (Gao, papers/004, section 3.1.1, Figure 3 and Table 10).

Two poolings only (the first in plane: slices are 3 mm thick), SE residual blocks, and a dense pyramid of dilated
convolutions for the sight that pooling would have given. Dilation is in plane only.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from .blocks import Network, SqueezeExcite, he_normal, resized

PLANE = (1, 2, 2)
CUBE = (2, 2, 2)


class SEResBlock(nn.Module):
    """Pre-activation residual block with channel attention (Figure 3): ``(n, inputs, D, H, W)`` -> ``(n, width, ...)``.

    BN, ReLU, conv, BN, ReLU, conv, SE, plus the input (through BN, ReLU, conv 1 where the channels change).

    Parameters
    ----------
    kernel : size (z, y, x). dilation : of the second convolution's plane. squeeze : reduction of the attention.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        kernel: tuple[int, int, int] = (3, 3, 3),
        dilation: int = 1,
        squeeze: int = 2,
    ):
        super().__init__()
        self.body = nn.Sequential(
            *_conv(inputs, width, kernel), *_conv(width, width, kernel, dilation), SqueezeExcite(width, squeeze)
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != width:
            self.shortcut = nn.Sequential(*_conv(inputs, width, (1, 1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.body(x) + self.shortcut(x))


class DenseASPP(nn.Module):
    """Dilated convolutions, each of which sees all before it (Yang 2018): ``inputs`` -> ``inputs + 4 * growth``.

    With growth 64 this has the 320 channels that Table 10 prints; the published code has growth 32 and 192.
    """

    def __init__(self, inputs: int, hidden: int, growth: int, dilations: tuple[int, ...] = (3, 6, 12, 18)):
        super().__init__()
        self.outputs = inputs + len(dilations) * growth
        self.steps = nn.ModuleList(
            nn.Sequential(*_conv(inputs + i * growth, hidden, (1, 1, 1)), *_conv(hidden, growth, (3, 3, 3), dilation))
            for i, dilation in enumerate(dilations)
        )

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = torch.cat((x, step(x)), 1)
        return x


class SNetOutput(NamedTuple):
    """``logits`` (n, organs + 1, D, H, W); ``features`` of the decoder's last layer and ``first`` of the encoder's
    first level, both (n, widths[0], D, H, W), which the small organs' networks go on with."""

    logits: Tensor
    features: Tensor
    first: Tensor


class SNet(Network):
    """Segments all organs at once.

    Parameters
    ----------
    outputs : organs + background (Table 10's "1" is a misprint).
    widths : channels of the three levels. growth : of the dense pyramid, 64 as printed, 32 as in the published code.

    Shapes: ``(n, inputs, D, H, W)``, D even and H, W multiples of 4 -> ``SNetOutput``. Maps for 40 x 240 x 240:
    32 x 40 x 240 x 240, 48 x 40 x 120 x 120, 64 x 20 x 60 x 60.
    """

    def __init__(
        self,
        inputs: int = 1,
        outputs: int = 10,
        widths: tuple[int, ...] = (32, 48, 64),
        growth: int = 64,
        dilations: tuple[int, ...] = (3, 6, 12, 18),
    ):
        super().__init__()
        fine, middle, deep = widths
        self.multiples, self.multiple = (2, 4, 4), 4
        flat = (1, 3, 3)
        self.first = nn.Sequential(
            nn.Conv3d(inputs, fine, flat, padding=(0, 1, 1), bias=False), SEResBlock(fine, fine, flat, squeeze=4)
        )
        self.second = nn.Sequential(nn.MaxPool3d(PLANE), SEResBlock(fine, middle), SEResBlock(middle, middle))
        self.third = nn.Sequential(
            nn.MaxPool3d(CUBE),
            SEResBlock(middle, deep),
            SEResBlock(deep, deep),
            SEResBlock(deep, deep, dilation=2),
            SEResBlock(deep, deep, dilation=2),
        )
        self.pyramid = DenseASPP(deep, deep, growth, dilations)
        self.skip_second = nn.Conv3d(middle, middle, 3, padding=1, bias=False)
        self.skip_first = nn.Conv3d(fine, fine, 3, padding=1, bias=False)
        self.up_second = SEResBlock(self.pyramid.outputs + middle, middle)
        self.up_first = SEResBlock(middle + fine, fine)
        self.head = nn.Conv3d(fine, outputs, 1)
        he_normal(self)

    def forward(self, x: Tensor) -> SNetOutput:
        first = self.first(x)
        second = self.second(first)
        deep = self.pyramid(self.third(second))
        middle = self.up_second(torch.cat((self.skip_second(second), resized(deep, second)), 1))
        features = self.up_first(torch.cat((self.skip_first(first), resized(middle, first)), 1))
        return SNetOutput(self.head(features), features, first)


def _conv(
    inputs: int, width: int, kernel: tuple[int, int, int], dilation: int = 1
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Batch normalisation, ReLU, convolution that keeps the size; dilated in plane."""
    spread = (1, dilation, dilation)
    padding = (kernel[0] // 2, dilation * (kernel[1] // 2), dilation * (kernel[2] // 2))
    conv = nn.Conv3d(inputs, width, kernel, padding=padding, dilation=spread, bias=False)
    return nn.BatchNorm3d(inputs), nn.ReLU(inplace=True), conv
