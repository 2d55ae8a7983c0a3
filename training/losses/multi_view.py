"""Losses of ``multi-view`` (Pu, papers/003): weighted cross-entropy (equations 1, 2), generalised Dice (3, 4).

Both equations as printed are options; the default is what they must have meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# MONAI's 1e-5 is larger than what a class of 100 000 voxels weighs with 1/n^2: the loss would be all but constant
SMOOTH = 1e-12


def class_weights(voxels: Sequence[float], most: float = 100.0) -> Tensor:
    """Weights of equation 2 from the true voxel counts per class of the training set.

    ``(N - n) / n``, none more than ``most`` times the smallest, then scaled to mean 1. Without that bound a nerve
    would count a million times as much as the background. Raises ValueError for a class without voxels.
    """
    counts = torch.tensor(voxels, dtype=torch.float64)
    if (counts <= 0).any():
        raise ValueError(f"class {int(counts.argmin())} has no voxels to weigh by")
    raw = (counts.sum() - counts) / counts
    bounded = raw.clamp(max=most * float(raw.min()))
    return (bounded / bounded.mean()).float()


def printed_weights(logits: Tensor) -> Tensor:
    """Weights of equation 2 as printed: ``(N - sum p_j) / sum p_j`` of the batch's own predictions, detached.

    ``(n, classes, ...)`` logits -> ``(classes,)``. They run away for a class that the network does not predict.
    """
    p = logits.detach().float().softmax(1)
    total = p.sum((0, *range(2, p.ndim)))
    pixels = p.numel() / p.shape[1]
    return (pixels - total) / total.clamp(min=1e-6)


def weighted_cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Equation 1: the mean over all N pixels of ``-w_j log p_j`` of the true class.

    (torch's own weighted mean divides by the sum of the weights instead of N.)

    Parameters
    ----------
    logits : ``(n, classes, ...)``. labels : ``(n, ...)`` class numbers.
    weight : ``(classes,)`` of ``class_weights``; None for the weights as printed.
    """
    logits = logits.float()
    weight = printed_weights(logits) if weight is None else weight.to(logits)
    return F.cross_entropy(logits, labels, weight, reduction="none").mean()


def generalised_dice(logits: Tensor, target: Tensor, as_printed: bool = False) -> Tensor:
    """MONAI's ``GeneralizedDiceLoss`` 1 - G with weights 1 / n^2 per sample, the background being a class.

    Parameters
    ----------
    logits, target : ``(n, 1, D, H, W)`` of one organ, or ``(n, classes, D, H, W)`` with one-hot target.
    as_printed : equation 3 has 1/M before G: 1 - G/M. The optimum is the same, its value 1 - 1/M, the gradient M times
        smaller.
    """
    if logits.shape[1] == 1:
        logits = torch.cat((torch.zeros_like(logits), logits), 1)  # softmax of (0, x) is sigmoid of x
        target = torch.cat((1 - target, target), 1)
    loss = _monai()(logits.float(), target)
    return 1 - (1 - loss) / logits.shape[1] if as_printed else loss


@lru_cache
def _monai() -> nn.Module:
    from monai.losses import GeneralizedDiceLoss

    return GeneralizedDiceLoss(softmax=True, smooth_nr=SMOOTH, smooth_dr=SMOOTH)
