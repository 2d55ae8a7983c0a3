"""A network's copy for the CPU's float32: its convolutions go straight to oneDNN.

torch asks oneDNN only where batch x channels x depth x height is over 20480, and takes a plain matrix product for the
rest, a large one of a few dozen channels on a crop included: two to four times as slow, also without AVX-512. (Kernels
of one voxel as well, if there is one thread.) A batch of two would not be concerned, nor is bf16.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ..networks.blocks import Network


def direct_copy(network: Network) -> Network:
    """``network`` with its convolutions replaced, sharing its weights; ``network`` itself if torch has no oneDNN."""
    if not torch.backends.mkldnn.is_available():
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    twin = copy.deepcopy(network, shared)
    for module in list(twin.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d | nn.Conv3d) and _is_plain(child):
                setattr(module, name, DirectConvolution(child))
    return twin


class DirectConvolution(nn.Module):
    """The same as a ``Conv2d`` or ``Conv3d``, up to the order in which it sums."""

    def __init__(self, convolution: nn.Conv2d | nn.Conv3d):
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        c = self.convolution
        assert not isinstance(c.padding, str)
        return torch.mkldnn_convolution(x, c.weight, c.bias, c.padding, c.stride, c.dilation, c.groups)


def _is_plain(convolution: nn.Conv2d | nn.Conv3d) -> bool:
    """True if what is padded are zeros, by a given number."""
    return convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
