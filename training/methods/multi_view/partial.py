"""Partial labels in a loss over classes that exclude each other, and how often each class occurs.

Of a case without a contour of organ X every voxel of X says background. With a softmax that would teach "not X" there,
so a class that nobody contoured is taken out of that case's softmax: its probabilities are over the known classes
alone, and nothing is said about X, neither inside nor outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...data.prepared import Case

OUT = -1e4  # a logit that is nothing after softmax, in every precision


def known_only(logits: Tensor, known: Tensor) -> Tensor:
    """Logits ``(n, 1 + organs, ...)`` without the classes that are unknown in their sample.

    ``known`` : ``(n, organs)`` bool. The background is always known.
    """
    keep = torch.cat((torch.ones_like(known[:, :1]), known), 1)
    return logits.masked_fill(~keep.reshape(*keep.shape, *(1,) * (logits.ndim - 2)), OUT)


def class_voxels(
    cases: Sequence[Case], organs: Sequence[str], spacing_mm: Sequence[float], body_voxels: float
) -> list[float]:
    """Voxels per class (background first) of the mean case on a grid of ``spacing_mm``, of which it has
    ``body_voxels``. An organ's are the mean over the cases that have it; one voxel if none has."""
    found: list[list[float]] = [[] for _ in organs]
    for case in cases:
        counts = np.bincount(case.labels.ravel(), minlength=1 + len(case.organs))
        voxel = float(np.prod(case.spacing_zyx_mm) / np.prod(spacing_mm))
        for into, organ in zip(found, organs, strict=True):
            if organ in case.known:
                into.append(float(counts[case.value(organ)]) * voxel)
    each = [max(1.0, float(np.mean(values))) if values else 1.0 for values in found]
    return [max(1.0, body_voxels - sum(each)), *each]
