"""Take a change of a segmentation back: everything about its segments, as it was when it was saved."""

from __future__ import annotations

from typing import Any

from .runtime import slicer_class


class UndoStack:
    """States of one segmentation node.

    Slicer's own history keeps the segments (voxels, names, colours, tags, which of them share a label image); copies
    are shared where nothing changed. What it leaves out, the reference geometry and the transform, is kept beside it.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode.
    limit : how many states are kept; the oldest is forgotten.
    """

    def __init__(self, segmentation_node: Any, limit: int = 10):
        self._node = segmentation_node
        self._history = slicer_class("vtkSegmentationHistory")()
        self._history.SetSegmentation(segmentation_node.GetSegmentation())
        # one more than asked for: on the first undo the history also stores the present, for a redo
        self._history.SetMaximumNumberOfStates(limit + 1)
        self._limit = limit
        self._frames: list[tuple[str, str | None, str | None]] = []

    def save(self) -> None:
        """Remember the present state. Call it before a change."""
        self._history.SaveState()
        self._frames = [*self._frames, self._frame()][-self._limit :]

    def undo(self) -> bool:
        """Bring back the state saved last; False if there is none."""
        if not self.can_undo or not self._history.RestorePreviousState():
            return False
        geometry, volume_id, transform_id = self._frames.pop()
        segmentation = self._node.GetSegmentation()
        segmentation.SetConversionParameter(_reference_geometry(), geometry)
        self._node.SetNodeReferenceID(self._node.GetReferenceImageGeometryReferenceRole(), volume_id)
        self._node.SetAndObserveTransformNodeID(transform_id)
        if self._node.GetDisplayNode() is not None:
            self._node.GetDisplayNode().Modified()  # the slice views do not hear of segments that a history brings back
        return True

    @property
    def can_undo(self) -> bool:
        return bool(self._frames) and bool(self._history.IsRestorePreviousStateAvailable())

    def clear(self) -> None:
        """Forget every state (the node goes away, or the scene closes)."""
        self._history.RemoveAllStates()
        self._frames = []

    def _frame(self) -> tuple[str, str | None, str | None]:
        segmentation = self._node.GetSegmentation()
        return (
            segmentation.GetConversionParameter(_reference_geometry()),
            self._node.GetNodeReferenceID(self._node.GetReferenceImageGeometryReferenceRole()),
            self._node.GetTransformNodeID(),
        )


def _reference_geometry() -> str:
    return str(slicer_class("vtkSegmentationConverter").GetReferenceImageGeometryParameterName())
