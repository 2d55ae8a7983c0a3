"""Losses of ``focus`` (Gao, papers/004, sections 3.1.2 and 3.2): focal + Dice summed over classes, heatmap L2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn


def size_weights(mean_voxels: Sequence[float]) -> tuple[float, ...]:
    """The focal loss's weights: inversely proportional to each class's mean size, scaled to mean 1."""
    inverse = [1 / n for n in mean_voxels]
    return tuple(len(inverse) * w / sum(inverse) for w in inverse)


def focal_and_dice(
    logits: Tensor, target: Tensor, weight: tuple[float, ...], known: Tensor | None = None, balance: float = 1.0
) -> Tensor:
    """Equations 1 to 3: the classes' focal losses plus ``balance`` times their Dice losses.

    MONAI's ``FocalLoss`` (softmax, gamma 2) and ``DiceLoss``, which are means over classes, as sums.

    Parameters
    ----------
    logits, target : ``(n, classes, D, H, W)``; target one-hot, background first.
    weight : alpha of each class. balance : lambda, 1 in the paper, 0.2 in its published code.
    known : ``(n, classes)``, 0 for classes nobody contoured in that scan: their terms are left out. Where such an
        organ lies, the scan still says background.
    """
    focal, dice = _monai(weight)
    space = tuple(range(2, logits.ndim))
    terms = focal(logits.float(), target).mean(space) + balance * dice(logits.float(), target).flatten(1)
    return (terms if known is None else terms * known).sum(1).mean()


def heatmap_l2(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Mean squared difference of the sigmoid and the Gaussian (section 3.1.2).

    ``(n, organs, D, H, W)`` both; ``known`` ``(n, organs)`` leaves maps without a true centre out.
    """
    error = (logits.float().sigmoid() - target).square().mean(tuple(range(2, logits.ndim)))
    weight = torch.ones_like(error) if known is None else known.to(error)
    return (error * weight).sum() / weight.sum().clamp(min=1)


@lru_cache
def _monai(weight: tuple[float, ...]) -> tuple[nn.Module, nn.Module]:
    from monai.losses import DiceLoss, FocalLoss

    focal = FocalLoss(gamma=2.0, weight=weight, use_softmax=True, reduction="none")
    return focal, DiceLoss(softmax=True, reduction="none")
