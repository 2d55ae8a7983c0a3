"""A network's copy for the CPU's bf16: what autocast computes from it, without what autocast repeats.

Autocast rounds every kernel to bf16 at every call, and torch's ReLU on bf16 takes four times as long as on 16-bit
integers. Together that was a seventh of the time of a forward pass; both are changed bit for bit. Group norms of
24 channels were another seventh, see narrow_norm.py.
"""

from __future__ import annotations

import copy
import functools
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..networks.blocks import CONVOLUTIONS
from .narrow_norm import NarrowGroupNorm

Kind = TypeVar("Kind", bound=nn.Module)

ROUNDED = (*CONVOLUTIONS, nn.Linear)
"""The layers that autocast computes in bf16; it leaves the norms' own parameters in float32."""


def bf16_copy(network: Kind) -> Kind:
    """``network`` with its kernels in bf16 and faster layers between them, for autocast to bf16; the original stays."""
    twin = copy.deepcopy(network)
    for module in list(twin.modules()):
        if isinstance(module, ROUNDED):
            module.to(torch.bfloat16)
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, SignReLU(child.inplace))
            elif isinstance(child, nn.MaxPool2d | nn.MaxPool3d) and _in_blocks(child):
                setattr(module, name, BlockMaximum(child))
            elif isinstance(child, nn.GroupNorm):
                setattr(module, name, NarrowGroupNorm(child))
    return twin


class SignReLU(nn.Module):
    """ReLU on bf16: read as 16-bit integers, exactly the negative numbers are below zero.

    A NaN with its sign set becomes 0 as well. None can arise: weights and inputs are finite and checked to be.
    """

    def __init__(self, inplace: bool):
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != torch.bfloat16:
            return torch.relu_(x) if self.inplace else torch.relu(x)
        x = x if self.inplace else x.clone()
        x.view(torch.int16).clamp_min_(0)
        return x


class BlockMaximum(nn.Module):
    """Max pooling by blocks: the larger of every two neighbours, along one axis after the other.

    torch's own also notes where each maximum was, which only training needs.
    """

    def __init__(self, pool: nn.MaxPool2d | nn.MaxPool3d):
        super().__init__()
        self.size = pool.kernel_size

    def forward(self, x: Tensor) -> Tensor:
        axes = range(2, x.ndim)
        sizes = self.size if isinstance(self.size, tuple) else (self.size,) * len(axes)
        for axis, size in zip(axes, sizes, strict=True):
            blocks = x.narrow(axis, 0, x.shape[axis] // size * size).unflatten(axis, (-1, size)).unbind(axis + 1)
            x = functools.reduce(torch.maximum, blocks)
        return x


def _in_blocks(pool: nn.MaxPool2d | nn.MaxPool3d) -> bool:
    """True if its windows lie side by side and it gives nothing but their maxima."""
    plain = (pool.padding, pool.dilation, pool.ceil_mode, pool.return_indices) == (0, 1, False, False)
    return plain and pool.stride == pool.kernel_size
