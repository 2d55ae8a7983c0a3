"""Hears which segments of a segmentation change, and waits until the hand is at rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vtkmodules.vtkCommonCore import VTK_STRING

from ..scene.runtime import slicer_class

_SETTLED_S = 0.5
ANY = ""
"""Stands for every segment: one was removed, or nobody knows which has changed."""


class EditWatch:
    """Observers on one segmentation node at a time.

    Parameters
    ----------
    clock : seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._node: Any = None
        self._tags: list[int] = []
        self._touched: dict[str, float] = {}

    def watch(self, node: Any) -> None:
        """Listen to this node (None: to none) and forget what was heard of the last one."""
        if node is self._node:
            return
        for tag in self._tags:
            self._node.RemoveObserver(tag)
        self._node, self._tags, self._touched = node, [], {}
        if node is None:
            return
        events = slicer_class("vtkSegmentation")

        def changed(_caller: Any, _event: str, segment_id: str | None) -> None:
            self.touch(segment_id or ANY)

        def came_or_went(_caller: Any, _event: str, _segment_id: str | None) -> None:
            self.touch(ANY)

        for slot in (changed, came_or_went):
            setattr(slot, "CallDataType", VTK_STRING)  # noqa: B010 (a function has no such attribute of its own)
        self._tags = [
            node.AddObserver(events.SourceRepresentationModified, changed),
            node.AddObserver(events.SegmentAdded, came_or_went),
            node.AddObserver(events.SegmentRemoved, came_or_went),
        ]

    def touch(self, segment_id: str = ANY) -> None:
        """Something may have changed."""
        self._touched[segment_id] = self._clock()

    def settled(self) -> set[str]:
        """IDs of the segments (or :data:`ANY`) that have changed and are at rest; they are forgotten by this."""
        now = self._clock()
        if not self._touched or now - max(self._touched.values()) < _SETTLED_S:
            return set()
        found, self._touched = set(self._touched), {}
        return found
