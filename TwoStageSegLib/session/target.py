"""The segmentation that results go into: what would be overwritten, what is ours, and the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from ..mask import Mask
from ..scene import Existing, UndoStack, mask_from_segment, put_mask
from ..scene.store import find_segment, tag_of
from ..volume import Volume

ORGAN_TAG, VOXELS_TAG = "TwoStageSeg.Organ", "TwoStageSeg.Voxels"


class Policy(StrEnum):
    """What happens to a segment of an organ's name."""

    REPLACE = "replace"
    BESIDE = "add beside"
    KEEP = "keep mine"


class Origin(StrEnum):
    """What is known about a segment that is there already."""

    NONE = "none"
    OURS = "result of TwoStageSeg"
    EDITED = "edited since it was made"
    FOREIGN = "not made by TwoStageSeg"


@dataclass(frozen=True)
class Overwrite:
    """A segment that a run would overwrite although a person has worked on it."""

    organ: str
    origin: Origin


class Target:
    """One segmentation node and what this program knows about its segments.

    Every segment that is written carries a tag with a digest of its voxels. A segment whose voxels still have that
    digest is ours and may be replaced without asking; the tag also survives saving and loading the scene.
    """

    def __init__(self, node: Any):
        self.node = node
        self._undo = UndoStack(node)
        self._step_open = False

    def origin(self, organ: str, volume: Volume) -> Origin:
        """Whose the segment of an organ's name is."""
        segment_id = find_segment(self.node.GetSegmentation(), organ)
        return Origin.NONE if segment_id is None else self._origin_of(segment_id, volume)

    def begin_step(self) -> None:
        """The next change begins a new step for :meth:`undo`."""
        self._step_open = False

    def put(
        self, mask: Mask, volume: Volume, volume_node: Any, policy: Policy, tags: Mapping[str, str] | None = None
    ) -> str:
        """Write a result; returns the segment's ID. ``policy`` is not KEEP: what is kept is not even computed."""
        if not self._step_open:
            self._undo.save()
            self._step_open = True
        all_tags = {**(tags or {}), ORGAN_TAG: mask.organ}
        own = self._own_beside(mask.organ, volume) if policy is Policy.BESIDE else None
        if own is not None:  # a result beside the user's is replaced by its own successor, not joined by it
            segment_id = put_mask(self.node, replace(mask, organ=own), volume_node, Existing.REPLACE, all_tags)
        else:
            existing = Existing.BESIDE if policy is Policy.BESIDE else Existing.REPLACE
            segment_id = put_mask(self.node, mask, volume_node, existing, all_tags)
        segment = self.node.GetSegmentation().GetSegment(segment_id)
        segment.SetTag(VOXELS_TAG, digest(mask_from_segment(self.node, segment_id, volume)))
        return segment_id

    def begin_edit(self) -> None:
        """A person is about to change a segment by hand: a step of its own for :meth:`undo`."""
        self._undo.save()
        self._step_open = False

    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        self._step_open = False
        return self._undo.undo()

    @property
    def can_undo(self) -> bool:
        return self._undo.can_undo

    def segment_of(self, organ: str) -> str | None:
        """ID of the newest segment that was made for an organ, or of the one that has its name."""
        segmentation = self.node.GetSegmentation()
        made = [i for i in _ids(segmentation) if tag_of(segmentation.GetSegment(i), ORGAN_TAG) == organ]
        return made[-1] if made else find_segment(segmentation, organ)

    def _own_beside(self, organ: str, volume: Volume) -> str | None:
        segmentation = self.node.GetSegmentation()
        for segment_id in _ids(segmentation):
            made_for = tag_of(segmentation.GetSegment(segment_id), ORGAN_TAG)
            if made_for == organ and self._origin_of(segment_id, volume) is Origin.OURS:
                return segment_id
        return None

    def _origin_of(self, segment_id: str, volume: Volume) -> Origin:
        stated = tag_of(self.node.GetSegmentation().GetSegment(segment_id), VOXELS_TAG)
        mask = mask_from_segment(self.node, segment_id, volume)
        if not stated:
            return Origin.NONE if mask.empty else Origin.FOREIGN
        return Origin.OURS if stated == digest(mask) else Origin.EDITED


def digest(mask: Mask) -> str:
    """Hash of a mask's voxels and their place in the grid, the same however large its crop is."""
    trimmed = mask.trimmed()
    if trimmed.empty:
        return "empty"
    place = np.asarray((*trimmed.start_zyx, *trimmed.voxels.shape), "<i8").tobytes()
    return hashlib.sha256(place + np.packbits(trimmed.voxels).tobytes()).hexdigest()[:32]


def _ids(segmentation: Any) -> list[str]:
    return [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]
