"""SANet: dilated ResNet18, pyramid pooling, and a decoder that aligns what it upsamples (Shi, papers/001, section 3.2).

The layers are the paper's with what its published code adds (a 3x3 convolution on each fused level): 12.71 M
parameters. The paper prints 12.82 M for SANet; the difference equals three more 64 -> 64 convolutions, which neither
its text nor its Figure 4 shows.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Network, he_normal, resized
from .resnet import WIDTHS, Trunk


class PyramidPooling(nn.Module):
    """Means over 1, 2 x 2, 3 x 3 and 6 x 6 parts of the image beside the features themselves (section 3.2.2).

    In training, batches of one sample are impossible: the 1 x 1 part has nothing to normalise over.
    Shapes: ``(n, inputs, H, W)`` -> ``(n, width, H, W)``.
    """

    def __init__(self, inputs: int, width: int, parts: tuple[int, ...] = (1, 2, 3, 6), dropout: float = 0.1):
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(n), nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width))
            for n in parts
        )
        self.merge = nn.Sequential(*_conv(inputs + len(parts) * width, width, 1), nn.Dropout2d(dropout))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.merge(torch.cat((x, *(resized(path(x), x) for path in self.paths)), 1)))


class SpatialAlignment(nn.Module):
    """Upsample deep features to where the shallow ones say they belong (section 3.2.3, equations 1 to 3).

    A convolution on both compressed features gives an offset per pixel of the result, in those pixels; the deep
    features are sampled there. One grid convention throughout (pixels as areas, ``align_corners=False``; the published
    code builds its grid with the other one): without offset this is bilinear interpolation, nothing is moved.
    """

    def __init__(self, width: int):
        super().__init__()
        self.shallow = nn.Conv2d(width, width // 2, 1, bias=False)
        self.deep = nn.Conv2d(width, width // 2, 1, bias=False)
        self.offset = nn.Conv2d(2 * (width // 2), 2, 3, padding=1, bias=False)

    def forward(self, shallow: Tensor, deep: Tensor) -> Tensor:
        """``(n, C, H, W)`` and ``(n, C, h, w)`` -> the deep features as ``(n, C, H, W)``."""
        pair = torch.cat((self.shallow(shallow), resized(self.deep(deep), shallow)), 1)
        return moved(deep, self.offset(pair))


def moved(deep: Tensor, offset: Tensor) -> Tensor:
    """Sample ``deep`` ``(n, C, h, w)`` at the pixels of ``offset`` ``(n, 2, H, W)`` moved by it: (x, y) in pixels.

    Half precision has 8 bits, too few for a coordinate, so this is computed in float32.
    """
    height, width = offset.shape[2:]
    y = (torch.arange(height, device=offset.device) + 0.5) * 2 / height - 1
    x = (torch.arange(width, device=offset.device) + 0.5) * 2 / width - 1
    centres = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    step = torch.tensor((2 / width, 2 / height), device=offset.device)
    grid = centres + offset.float().permute(0, 2, 3, 1) * step
    return F.grid_sample(deep.float(), grid, padding_mode="border", align_corners=False).to(deep.dtype)


class SANet(Network):
    """Segments one slice (section 3.2).

    Parameters
    ----------
    outputs : classes, background first. widths : channels of the four stages. width : of the decoder.

    Shapes: ``(n, inputs, H, W)``, sides multiples of 16 -> ``(n, outputs, H, W)`` logits (softmax follows). Maps for
    512: 64 x 128 x 128, 128 x 64 x 64, 256 x 32 x 32, 512 x 32 x 32.
    """

    def __init__(
        self,
        inputs: int = 1,
        outputs: int = 2,
        widths: tuple[int, ...] = WIDTHS,
        width: int = 128,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.multiple = 16
        self.trunk = Trunk(inputs, widths, dilated=True)
        self.pyramid = PyramidPooling(widths[-1], width, dropout=dropout)
        levels = widths[-2::-1]  # deep to shallow
        self.lateral = nn.ModuleList(nn.Sequential(*_conv(w, width, 1)) for w in levels)
        self.align = nn.ModuleList(SpatialAlignment(width) for _ in levels)
        self.smooth = nn.ModuleList(nn.Sequential(*_conv(width, width, 3)) for _ in levels)
        self.head = nn.Sequential(*_conv(4 * width, width, 3), nn.Conv2d(width, outputs, 1))
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        *shallow, deep = self.trunk(x)
        fused = self.pyramid(deep)
        levels = [fused]
        for lateral, align, smooth, features in zip(self.lateral, self.align, self.smooth, shallow[::-1], strict=True):
            side = lateral(features)
            fused = side + align(side, fused)
            levels.append(smooth(fused))
        logits = self.head(torch.cat([resized(level, levels[-1]) for level in levels], 1))
        return resized(logits, x)


def _conv(inputs: int, width: int, kernel: int) -> tuple[nn.Module, ...]:
    """Convolution, batch normalisation, ReLU."""
    conv = nn.Conv2d(inputs, width, kernel, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)
