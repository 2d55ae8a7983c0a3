"""Losses of ``slice-centre`` (Li, papers/000): CenterNet's focal loss, Dice + alpha * focal, a rule for alpha."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

SURE = 1e-4  # probabilities are kept this far from 0 and 1, so that a logarithm stays finite


def centre_focal(logits: Tensor, target: Tensor) -> Tensor:
    """CenterNet's penalty-reduced focal loss (Zhou 2019, alpha = 2, beta = 4), summed, per centre.

    ``-(1-p)^2 log p`` where the target is 1, ``-(1-y)^4 p^2 log(1-p)`` elsewhere; divided by the number of centres,
    or by 1 if no slice of the batch has one. MONAI has no such loss.

    Parameters
    ----------
    logits, target : ``(n, organs, h, w)``; the target as ``heatmaps.gaussian_cells`` makes it.
    """
    p = logits.float().sigmoid().clamp(SURE, 1 - SURE)
    centre = target == 1
    loss = torch.where(centre, (1 - p) ** 2 * p.log(), (1 - target) ** 4 * p**2 * (1 - p).log())
    return -loss.sum() / centre.sum().clamp(min=1)


@lru_cache
def dice_focal(alpha: float = 1.0) -> nn.Module:
    """MONAI's ``DiceFocalLoss`` of one sigmoid channel: Dice + alpha * focal (gamma 2), both means over the samples.

    The module takes ``(n, 1, [D,] H, W)`` logits and a target in 0..1. The paper does not print alpha.
    """
    from monai.losses import DiceFocalLoss

    return DiceFocalLoss(sigmoid=True, gamma=2.0, lambda_focal=alpha)


def next_alpha(alpha: float, volume_ratio: float) -> float:
    """The paper's "turned up if the model tended to have fewer predictions", as an explicit rule.

    Parameters
    ----------
    volume_ratio : predicted / true foreground on validation, looked at every five epochs.

    Returns
    -------
    alpha * 1.25 below a ratio of 0.9, alpha / 1.25 above 1.1, within 0.25..4. Recipes leave it off by default: a run
    whose loss depends on its validation cannot be repeated from its recipe alone.
    """
    if volume_ratio < 0.9:
        alpha *= 1.25
    elif volume_ratio > 1.1:
        alpha /= 1.25
    return min(max(alpha, 0.25), 4.0)
