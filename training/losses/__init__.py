"""Losses, one file per system; MONAI's where they equal the paper's, ours where they differ. No import of MONAI here:
it takes seconds, and only the losses that are MONAI's need it."""

from __future__ import annotations

from .organs import cross_entropy, dice_loss, known_weight, positive_cross_entropy

__all__ = ["cross_entropy", "dice_loss", "known_weight", "positive_cross_entropy"]
