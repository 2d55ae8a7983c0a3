"""A network's copy for the CPU's float32: its convolutions go straight to oneDNN.

torch asks oneDNN only where batch x channels x depth x height is over 20480, and takes a plain matrix product for the
rest, a large one of a few dozen channels on a crop included: two to four times as slow, also without AVX-512. (Kernels
of one voxel as well, if there is one thread.) A batch of two would not be concerned, nor is bf16.
"""

from __future__ import annotations

import copy
import platform
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Kind = TypeVar("Kind", bound=nn.Module)

MEASURED = ("x86_64", "amd64")
"""Processors on which oneDNN is known to be the faster way; on others it may lack 3D kernels of its own."""


def direct_copy(network: Kind) -> Kind:
    """``network`` with its convolutions replaced, sharing its weights; ``network`` itself where that may not pay."""
    if not torch.backends.mkldnn.is_available() or platform.machine().lower() not in MEASURED:
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    twin = copy.deepcopy(network, shared)
    for module in twin.modules():
        if (kind := DIRECT.get(type(module))) and _is_plain(module):
            module.__class__ = kind  # the same weights and options, another way to compute
    return twin


class _Direct:
    """The same as the convolution that it is mixed into, up to the order in which it sums."""

    def forward(self: Any, x: Tensor) -> Tensor:
        return torch.mkldnn_convolution(
            x, self.weight, self.bias, self.padding, self.stride, self.dilation, self.groups
        )


class DirectConv2d(_Direct, nn.Conv2d):
    """``Conv2d`` by oneDNN."""


class DirectConv3d(_Direct, nn.Conv3d):
    """``Conv3d`` by oneDNN."""


DIRECT: dict[type, type] = {nn.Conv2d: DirectConv2d, nn.Conv3d: DirectConv3d}


def _is_plain(convolution: Any) -> bool:
    """True if what is padded are zeros, by a given number."""
    return convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
