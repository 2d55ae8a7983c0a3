"""What a box or point remembers in a saved scene: whose it is and who placed it, so that it is known when loaded."""

from __future__ import annotations

import json
from typing import Any

from ..errors import InputRefused
from ..region import Region
from ..scene import point_to_region, roi_to_region

_REGION, _VOLUME = "TwoStageSeg.Region", "TwoStageSeg.Volume"
_CLASSES = ("vtkMRMLMarkupsROINode", "vtkMRMLMarkupsFiducialNode")
_LIMIT = 10_000  # characters


def remember(node: Any, volume_id: str, region: Region) -> None:
    """Write it on the node. The volume is a reference: Slicer renames IDs when a scene is added to another."""
    node.SetAttribute(_REGION, json.dumps(region.as_json()))
    node.SetNodeReferenceID(_VOLUME, volume_id)


def remembered(scene: Any, volume_id: str) -> list[tuple[Any, Region]]:
    """The boxes and points in a scene that belong to a volume, with their regions."""
    nodes = (scene.GetNthNodeByClass(i, c) for c in _CLASSES for i in range(scene.GetNumberOfNodesByClass(c)))
    mine = [node for node in nodes if node.GetNodeReferenceID(_VOLUME) == volume_id]
    return [(node, region) for node in mine if (region := _region(node)) is not None]


def read_marker(node: Any, organ: str) -> Region:
    """The region that a box or point shows now. Raises InputRefused if it is not finished."""
    is_box = node.IsA("vtkMRMLMarkupsROINode")
    return roi_to_region(node, organ) if is_box else point_to_region(node, organ)


def _region(node: Any) -> Region | None:
    text = node.GetAttribute(_REGION) or ""
    try:
        region = Region.from_json(json.loads(text)) if len(text) < _LIMIT else None
        if region is not None:
            read_marker(node, region.organ)
        return region
    except (ValueError, KeyError, TypeError, IndexError, InputRefused):
        return None  # written by something else, or edited by hand: just a box
