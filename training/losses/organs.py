"""Dice + cross-entropy on independent organ channels, with unknown organs masked out (papers/002, "Implementation").

With every organ known they are MONAI's ``DiceLoss(sigmoid=True)`` and torch's binary cross-entropy (tested); MONAI has
no mask for organs that nobody contoured, which partial labels need. Each task adds the parts with its own weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SMOOTH = 1e-5


def dice_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Soft Dice loss, averaged over the (sample, channel) pairs with their weights.

    Parameters
    ----------
    logits, target : (n, c, D, H, W); target in 0..1.
    weight : (n, c), 0 for unknown organs.
    """
    p = logits.sigmoid()
    axes = tuple(range(2, logits.ndim))
    overlap = (p * target).sum(axes)
    total = p.sum(axes) + target.sum(axes)
    dice = (2 * overlap + SMOOTH) / (total + SMOOTH)
    return ((1 - dice) * weight).sum() / weight.sum().clamp(min=1e-6)


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy, mean over voxels, averaged over the weighted (sample, channel) pairs; shapes as above."""
    axes = tuple(range(2, logits.ndim))
    per_channel = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(axes)
    return (per_channel * weight).sum() / weight.sum().clamp(min=1e-6)


def positive_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy over the organ's own voxels only, mean per (sample, channel), weighted; shapes as above."""
    axes = tuple(range(2, logits.ndim))
    loss = (F.softplus(-logits) * target).sum(axes) / target.sum(axes).clamp(min=1.0)
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def known_weight(known: Tensor, main: int | None = None, others: float = 0.3) -> Tensor:
    """(n, c) weights from (n, c) known flags: ``main`` channel counts fully, the other known ones ``others``."""
    weight = known.float()
    if main is None:
        return weight
    scale = torch.full((known.shape[1],), others)
    scale[main] = 1.0
    return weight * scale
