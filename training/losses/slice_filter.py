"""Loss of ``slice-filter`` (Shi, papers/001, section 3.3): the combined regularisation (CR) loss."""

from __future__ import annotations

from functools import lru_cache

from torch import nn


@lru_cache
def combined_regularisation(alpha: float = 0.1) -> nn.Module:
    """Dice + (1 - alpha) * cross-entropy + alpha * mean of -log p: MONAI's ``DiceCELoss`` with label smoothing.

    The regularisation term of equations 6 and 8 is label smoothing under another name. Dice counts the foreground
    only, per sample, as in the published code; equation 7's further 1/K is not there either.
    The module takes ``(n, classes, H, W)`` logits and ``(n, 1, H, W)`` class numbers.
    """
    from monai.losses import DiceCELoss

    return DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, label_smoothing=alpha)
