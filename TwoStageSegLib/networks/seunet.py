"""SE-U-Net in two and three dimensions, and the learned fusion of three views (Pu, papers/003, section III).

The paper gives the layout (U-Net, three poolings "because multiple pooling operations can lead to the loss of small
organ feature", an SE block) but neither widths nor reduction: 64-128-256-512, r = 16 and batch normalisation are read
in. The fine network (III.B) is the same in 3D.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .unet import UNet


class SEUNet(UNet):
    """U-Net with channel attention after each pair of convolutions and three poolings by 2.

    Parameters
    ----------
    dims : 2 for a coarse network (one of the three views), 3 for an organ's fine network.
    outputs : organs + background for a coarse network (softmax), 1 for a fine one (sigmoid).
    squeeze : the attention's reduction r.

    Shapes: ``(n, inputs, [D,] H, W)`` -> ``(n, outputs, [D,] H, W)`` logits; sides are multiples of 8 (280 = 8 * 35).
    """

    def __init__(
        self,
        dims: int = 2,
        inputs: int = 1,
        outputs: int = 10,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        squeeze: int = 16,
        norm: str = "batch",
    ):
        super().__init__(dims, inputs, outputs, widths, norm=norm, squeeze=squeeze)


class ViewFusion(nn.Module):
    """Sum of the axial, coronal and sagittal logits with a weight per view and organ ("Weighted fusion", III.A).

    The paper prints no weights. Here they are non-negative, sum to 1 over the views for each organ (softmax), begin
    equal and are learned: one view may win an organ, as the axial one does chiasm and nerves in the paper's Table I.

    Shapes: ``(n, views, organs, ...)`` logits -> ``(n, organs, ...)`` logits; softmax over organs follows.
    """

    def __init__(self, views: int = 3, organs: int = 10):
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(views, organs))

    @property
    def weights(self) -> Tensor:
        """``(views, organs)``, columns sum to 1."""
        return self.scores.softmax(0)

    def forward(self, logits: Tensor) -> Tensor:
        return torch.einsum("vo,nvo...->no...", self.weights.to(logits.dtype), logits)
