"""What several architectures are built of: channel attention, and how weights begin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Network(nn.Module):
    """A network that a bundle can hold. ``multiple``: what the sides of its input must be multiples of."""

    multiple: int = 1


class SqueezeExcite(nn.Module):
    """Channel attention (Hu 2018; papers/003 section III.A and papers/004 section 3.1.1).

    The mean over space, C -> C/reduction, ReLU, -> C, sigmoid: one factor per channel.
    Shapes: ``(n, C, [D,] H, W)`` -> the same.
    """

    def __init__(self, channels: int, reduction: int):
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        space = tuple(range(2, x.ndim))
        factor = self.excite(self.squeeze(x.mean(space)).relu()).sigmoid()
        return x * factor.reshape(*factor.shape, *(1 for _ in space))


def he_normal(network: nn.Module) -> None:
    """Fill every convolution's weights as He 2015 does for ReLU."""
    for module in network.modules():
        # on the meta device there is nothing to fill, and trying imports torch._dynamo: 1.2 s at every start
        if isinstance(module, CONVOLUTIONS) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def resized(x: Tensor, like: Tensor) -> Tensor:
    """``x`` interpolated (bi- or trilinearly, pixels as areas) to the spatial size of ``like``."""
    mode = "trilinear" if x.ndim == 5 else "bilinear"
    return torch.nn.functional.interpolate(x, like.shape[2:], mode=mode, align_corners=False)
