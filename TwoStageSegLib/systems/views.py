"""The coarse stage of papers/003: three 2D networks look along three axes, their votes are fused, and each organ's box
is read from the fused probability."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..geometry import Geometry
from ..grid import Grid
from ..manifest import OrganSpec
from ..region import Region
from .coarse import FULL, box_region
from .runner import Runner

VIEWS = {"axial": 0, "coronal": 1, "sagittal": 2}
"""The networks' roles and the axis (of z, y, x) across which each one's slices lie."""

BATCH = 16
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)


def fused(
    image: NDArray[np.float32], networks: Mapping[str, Runner], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Probability ``(outputs, Z, Y, X)`` of every output in a normalised image ``(Z, Y, X)``.

    The sum of the views' logits with ``weights`` ``(views, outputs)``, then softmax: ``networks.seunet.ViewFusion``.
    """
    total = np.zeros((weights.shape[1], *image.shape), np.float32)
    for (role, axis), weight in zip(VIEWS.items(), weights, strict=True):
        slices, sums = np.moveaxis(image, axis, 0), np.moveaxis(total, axis + 1, 0)
        for first in range(0, len(slices), BATCH):
            part = slice(first, first + BATCH)
            sums[part] += networks[role](np.ascontiguousarray(slices[part])[:, None]) * weight[:, None, None]
    total -= total.max(0)
    np.exp(total, out=total)
    total /= total.sum(0)
    return total


def region_from_votes(map_: NDArray[np.float32], grid: Grid, organ: OrganSpec, geometry: Geometry) -> Region:
    """One organ's fused probability on ``grid`` as a Region.

    The paper takes the part with "smallest volume and highest score" at a threshold that it does not print. Here
    every component at each of ``THRESHOLDS`` competes by its sum of probability over the root of its box's volume. The
    score is the winner's mean probability times its part of the sum at its threshold.
    """
    peak = float(map_.max())
    around = ndimage.find_objects((map_ > THRESHOLDS[0]).view(np.int8))
    if not around:
        return Region.not_located(organ.name, peak)
    part = map_[around[0]]
    best, score, where = 0.0, 0.0, around[0]
    for threshold in THRESHOLDS:
        labels, count = ndimage.label(part > threshold, FULL)
        boxes = ndimage.find_objects(labels)
        mass = np.asarray(ndimage.sum_labels(part, labels, np.arange(1, count + 1)))
        values = [m / np.sqrt(np.prod([s.stop - s.start for s in box])) for m, box in zip(mass, boxes, strict=True)]
        if count and max(values) > best:
            i = int(np.argmax(values))
            best, where = values[i], boxes[i]
            score = float(mass[i] / np.count_nonzero(labels == i + 1) * mass[i] / mass.sum())
    if score < organ.located_score:
        return Region.not_located(organ.name, score)
    box = tuple(slice(s.start + a.start, s.stop + a.start) for s, a in zip(where, around[0], strict=True))
    return box_region(box, score, grid, organ, geometry)
