"""Where the views look."""

from __future__ import annotations

from typing import Any

from ..region import Point
from .frames import swap_ras_lps
from .runtime import slicer_class


def centre_views(scene: Any, point_lps: Point) -> None:
    """Bring every slice view to a point (world LPS mm) and centre it there."""
    slice_node = slicer_class("vtkMRMLSliceNode")
    r, a, s = (float(v) for v in swap_ras_lps(point_lps))
    slice_node.JumpAllSlices(scene, r, a, s, slice_node.CenteredJumpSlice)
