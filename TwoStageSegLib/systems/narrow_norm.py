"""Group norm of bf16 with a number of channels that the processor's registers do not divide, such as 24.

torch's own works along the channels of one voxel (of one group, if there are few voxels) and takes those left over one
by one: with 24 channels the norm takes three times as long as with 32. Here several voxels are read as one that has so
many times the channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HALF_LANES, LANES = 16, 32
"""float32 and bf16 numbers in a register of 512 bits."""

FEW_VOXELS = 1024
"""With fewer torch goes through the groups one after the other."""

WORTH_IT = 2**15
"""So many numbers take torch longer than what is done here around them."""


class NarrowGroupNorm(nn.Module):
    """The same as a ``GroupNorm`` in evaluation, ``(n, channels, [D,] H, W)`` -> the same, channels last.

    Mean and variance are those of the whole group, put together from those of each channel and place in the row. They
    come out closer to the exact ones than torch's, whose sums of squares lose digits where the mean is large.
    """

    def __init__(self, norm: nn.GroupNorm):
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        count = x[0, 0].numel()
        together = voxels_together(x.shape[1], count)
        if x.dtype != torch.bfloat16 or not together or not is_slow(self.norm, count):
            return self.norm(x)  # type: ignore[no-any-return]
        voxels = x.movedim(1, -1)  # a view where the layout is channels last
        done = [self._one(sample.reshape(-1, together * x.shape[1])) for sample in voxels]
        return (done[0] if len(done) == 1 else torch.stack(done)).view(voxels.shape).movedim(-1, 1)

    def _one(self, rows: Tensor) -> Tensor:
        """One sample, ``(voxels / together, together * channels)``."""
        channels, groups = self.norm.num_channels, self.norm.num_groups
        together = rows.shape[1] // channels
        image = rows[None, None].permute(0, 3, 1, 2)  # batch norms want their channels second, and last in memory
        start = torch.zeros(rows.shape[1]), torch.ones(rows.shape[1])
        means, variances = torch.batch_norm_update_stats(image, *start, 0.0)
        means, variances = (m.view(together, groups, -1) for m in (means, variances))
        mean = means.mean((0, 2), keepdim=True)
        variance = (variances + (means - mean).square()).mean((0, 2), keepdim=True)
        mean, variance = (m.expand_as(means).reshape(-1) for m in (mean, variance))
        weight, bias = (None if p is None else p.repeat(together) for p in (self.norm.weight, self.norm.bias))
        out = functional.batch_norm(image, mean, variance, weight, bias, eps=self.norm.eps)
        return out.permute(0, 2, 3, 1)[0, 0]


def is_slow(norm: nn.GroupNorm, voxels: int) -> bool:
    """True if torch would take many channels one by one."""
    if voxels >= FEW_VOXELS:
        return norm.num_channels % HALF_LANES != 0
    return norm.num_channels // norm.num_groups % HALF_LANES != 0 and norm.num_channels * voxels >= WORTH_IT


def voxels_together(channels: int, voxels: int) -> int:
    """How many voxels make rows of whole registers; 0 if their number cannot be divided so."""
    return next((n for n in (1, 2, 4, 8, 16, 32) if n * channels % LANES == 0 and voxels % n == 0), 0)
