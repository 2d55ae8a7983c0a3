"""Which segments can share one label image, and which overlap and need another layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..mask import Mask

MAX_LABELS = 255  # a layer is uint8, 0 is background

Extent = tuple[int, int, int, int, int, int]
"""First and last index ``(x0, x1, y0, y1, z0, z1)``, both included, as Slicer writes it; empty if first > last."""

NO_EXTENT: Extent = (0, -1, 0, -1, 0, -1)


@dataclass(frozen=True)
class Slot:
    """Where a segment lives: its layer and its label value (1..255) there."""

    layer: int
    label: int


def assign_layers(masks: Sequence[Mask]) -> list[Slot]:
    """A slot per mask: the first layer in which it overlaps nothing that was put there before it."""
    members: list[list[Mask]] = []
    slots = []
    for mask in masks:
        layer = next((i for i, others in enumerate(members) if _fits(mask, others)), len(members))
        if layer == len(members):
            members.append([])
        members[layer].append(mask)
        slots.append(Slot(layer, len(members[layer])))
    return slots


def _fits(mask: Mask, others: Sequence[Mask]) -> bool:
    return len(others) < MAX_LABELS and not any(overlap(mask, other) for other in others)


def overlap(a: Mask, b: Mask) -> bool:
    """True if two masks of one grid have a voxel in common. Only the common part of their crops is looked at."""
    lo = np.maximum(a.start_zyx, b.start_zyx)
    hi = np.minimum(np.add(a.start_zyx, a.voxels.shape), np.add(b.start_zyx, b.voxels.shape))
    if (hi <= lo).any():
        return False
    parts = [
        m.voxels[tuple(slice(int(p - s), int(q - s)) for p, q, s in zip(lo, hi, m.start_zyx, strict=True))]
        for m in (a, b)
    ]
    return bool(np.logical_and(*parts).any())


def layer_extents(masks: Sequence[Mask], slots: Sequence[Slot]) -> list[Extent]:
    """The extent of every mask's *layer*, around all segments of that layer.

    Slicer crops a layer to the extent of its first segment when it reads the file, and would lose the others if each
    segment carried its own.
    """
    boxes: dict[int, list[Mask]] = {}
    for mask, slot in zip(masks, slots, strict=True):
        boxes.setdefault(slot.layer, [])
        if not mask.empty:
            boxes[slot.layer].append(mask.trimmed())
    return [_extent(boxes[slot.layer]) for slot in slots]


def _extent(masks: Sequence[Mask]) -> Extent:
    if not masks:
        return NO_EXTENT
    z0, y0, x0 = (int(v) for v in np.min([m.start_zyx for m in masks], 0))
    z1, y1, x1 = (int(v) for v in np.max([np.add(m.start_zyx, m.voxels.shape) for m in masks], 0) - 1)
    return x0, x1, y0, y1, z0, z1
