"""The boxes and points in the scene: one node per organ, which follows the session and which the session follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputRefused
from ..region import Region
from ..scene import move_point, move_roi, region_to_point, region_to_roi
from .saved import read_marker, remember, remembered

_SAME_MM = 0.01

Owner = tuple[str, str]
"""Volume node's ID and organ."""


@dataclass
class Marker:
    """A box or a point in the scene. ``region``: as it was last read or set; None while it is being placed."""

    node: Any
    is_box: bool
    region: Region | None
    tags: list[int] = field(default_factory=list)
    held: bool = False  # the mouse button is down on it
    setting: bool = False  # we are moving it ourselves


class Markers:
    """Makes, moves, watches and removes markers.

    Parameters
    ----------
    scene : vtkMRMLScene.
    on_moved : called with the owner and the new region when a person has placed or moved a marker.
    on_removed : called with the owner when a person has deleted one.
    """

    def __init__(self, scene: Any, on_moved: Callable[[Owner, Region], None], on_removed: Callable[[Owner], None]):
        self._scene, self._on_moved, self._on_removed = scene, on_moved, on_removed
        self._markers: dict[Owner, Marker] = {}

    def show(self, volume_node: Any, region: Region, rgb: tuple[int, int, int]) -> None:
        """Show a region that a result brought, in the organ's colour; one that is not located has no marker."""
        owner = (volume_node.GetID(), region.organ)
        if not region.usable:
            self.remove(owner)
            return
        is_box = region.size_mm is not None
        marker = self._markers.get(owner)
        if marker is not None and marker.is_box == is_box and marker.region is not None:
            marker.setting = True
            (move_roi if is_box else move_point)(marker.node, region)
            marker.setting, marker.region = False, region
            remember(marker.node, owner[0], region)
            return
        self.remove(owner)
        make = region_to_roi if is_box else region_to_point
        node = make(self._scene, region, volume_node) if make is region_to_roi else make(self._scene, region)
        self._adopt(owner, node, is_box, region, rgb)

    def place(self, volume_node: Any, organ: str, rgb: tuple[int, int, int], is_box: bool) -> Any:
        """An empty box or point for the user to place in a view; returns its node. An earlier one stays till then."""
        self.stop_placing()
        kind = "ROI" if is_box else "Fiducial"
        node = self._scene.AddNewNodeByClass(f"vtkMRMLMarkups{kind}Node", organ)
        node.CreateDefaultDisplayNodes()
        if is_box and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetFillVisibility(False)
        self._adopt((f"placing {volume_node.GetID()}", organ), node, is_box, None, rgb)
        return node

    def recall(self, volume_node: Any, colours: Mapping[str, tuple[int, int, int]]) -> list[Region]:
        """Take over the markers that a loaded scene brought for a volume; returns where they are now."""
        volume_id, found = volume_node.GetID(), []
        for node, saved in remembered(self._scene, volume_id):
            owner = (volume_id, saved.organ)
            if saved.organ not in colours or owner in self._markers:
                continue
            now = read_marker(node, saved.organ)
            region = saved if _same(now, saved) else now
            self._adopt(owner, node, now.size_mm is not None, region, colours[saved.organ])
            found.append(region)
        return found

    def stop_placing(self) -> None:
        """Remove what was begun and not placed."""
        for owner in [o for o, m in self._markers.items() if m.region is None]:
            self.remove(owner)

    @property
    def placing(self) -> str:
        """The organ whose marker is being placed, "" if none is."""
        return next((organ for (_, organ), m in self._markers.items() if m.region is None), "")

    @property
    def held(self) -> bool:
        """True while the user holds a marker."""
        return any(m.held for m in self._markers.values())

    def node_of(self, volume_id: str, organ: str) -> Any | None:
        marker = self._markers.get((volume_id, organ))
        return None if marker is None else marker.node

    def show_only(self, volume_id: str | None) -> None:
        """Hide the markers of all other volumes."""
        for (owner_volume, _), marker in self._markers.items():
            if marker.node.GetDisplayNode() is not None:
                marker.node.SetDisplayVisibility(owner_volume in (volume_id, f"placing {volume_id}"))

    def remove(self, owner: Owner) -> None:
        """Take a marker out of the scene."""
        marker = self._markers.pop(owner, None)
        if marker is not None:
            self._unwatch(marker)
            node = marker.node
            displays = [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
            for each in (node, *displays):  # the scene does not remove the display nodes with their owner
                if each is not None and self._scene.IsNodePresent(each):
                    self._scene.RemoveNode(each)

    def remove_volume(self, volume_id: str) -> None:
        for owner in [o for o in self._markers if o[0] in (volume_id, f"placing {volume_id}")]:
            self.remove(owner)

    def node_removed(self, node: Any) -> None:
        """The scene has lost a node; if it was a marker, its owner hears of it."""
        for owner, marker in list(self._markers.items()):
            if marker.node is node:
                del self._markers[owner]
                self._unwatch(marker)
                if marker.region is not None:
                    self._on_removed(owner)

    def forget(self) -> None:
        """Stop watching; the nodes stay."""
        for marker in self._markers.values():
            self._unwatch(marker)
        self._markers.clear()

    def _adopt(self, owner: Owner, node: Any, is_box: bool, region: Region | None, rgb: tuple[int, int, int]) -> None:
        marker = Marker(node, is_box, region)
        self._markers[owner] = marker
        if region is not None:
            remember(node, owner[0], region)
        display = node.GetDisplayNode()
        if display is not None:
            display.SetSelectedColor(*(c / 255 for c in rgb))
            display.SetColor(*(c / 255 for c in rgb))
            display.SetActiveColor(
                *(c / 255 for c in rgb)
            )  # under the mouse: its size shows that, not another organ's hue
        if not is_box:
            node.SetControlPointLabelFormat("%N")  # the organ alone, no number
        for event in (node.PointModifiedEvent, node.TransformModifiedEvent, node.PointPositionDefinedEvent):
            marker.tags.append(node.AddObserver(event, lambda *_: self._moved(marker)))
        for event, held in ((node.PointStartInteractionEvent, True), (node.PointEndInteractionEvent, False)):
            marker.tags.append(node.AddObserver(event, lambda *_, held=held: setattr(marker, "held", held)))

    def _unwatch(self, marker: Marker) -> None:
        for tag in marker.tags:
            marker.node.RemoveObserver(tag)
        marker.tags.clear()

    def _moved(self, marker: Marker) -> None:
        owner = next((o for o, m in self._markers.items() if m is marker), None)
        if owner is None or marker.setting:
            return
        try:
            region = read_marker(marker.node, owner[1])
        except InputRefused:
            return  # not finished yet: one of two corners, or a point that still hangs on the mouse
        if marker.region is None:
            self._placed(owner, marker, region)
        elif not _same(region, marker.region):
            marker.region = region
            remember(marker.node, owner[0], region)
            self._on_moved(owner, region)

    def _placed(self, owner: Owner, marker: Marker, region: Region) -> None:
        """It has found its place: it succeeds the marker that the organ had."""
        if marker.is_box and marker.node.GetNumberOfControlPoints() > 1:
            return  # its second corner still follows the mouse; when placed, a ROI keeps one point, its centre
        del self._markers[owner]
        owner = (owner[0].removeprefix("placing "), owner[1])
        self.remove(owner)
        marker.region = region
        self._markers[owner] = marker
        remember(marker.node, owner[0], region)
        self._on_moved(owner, region)


def _same(a: Region, b: Region) -> bool:
    if (a.size_mm is None) != (b.size_mm is None) or a.centre_lps is None or b.centre_lps is None:
        return False
    pairs: list[tuple[Any, Any]] = [(a.centre_lps, b.centre_lps)]
    if a.size_mm is not None and b.size_mm is not None:
        pairs += [(a.size_mm, b.size_mm), (np.ravel(a.axes), np.ravel(b.axes))]
    return all(np.allclose(p, q, rtol=0, atol=_SAME_MM) for p, q in pairs)
