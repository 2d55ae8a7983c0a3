"""Boxes and clicks in the scene as regions, and back. World millimetres: views and engine mean one place."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..region import Kind, Point, Region, Source
from .frames import FLIP, local_to_world, numpy_matrix, swap_ras_lps, vtk_matrix
from .volumes import volume_from_node

_MIN_EDGE_MM = 0.1


def roi_to_region(node: Any, organ: str) -> Region:
    """A Markups ROI as the box of an organ, with its own axes if it is oblique.

    Parameters
    ----------
    node : vtkMRMLMarkupsROINode, under any linear transform. organ : TG-263 name.

    Raises
    ------
    InputRefused
        ``E_BOX`` the box is not finished or has no size; ``E_TRANSFORM`` it is under a non-linear transform.
    """
    local_to_world(node, "box")  # refuses what a box cannot follow
    matrix = FLIP @ numpy_matrix(node.GetObjectToWorldMatrix())
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    size = np.asarray(node.GetSize(), float) * lengths
    if not np.isfinite(matrix).all() or not np.isfinite(size).all() or size.min() < _MIN_EDGE_MM:
        raise InputRefused("E_BOX", f"The box of {organ} has no size along at least one axis. Draw it again.")
    axes, order = _nearest_to_patient(matrix[:3, :3] / lengths)
    return Region(
        organ,
        Kind.BOX,
        Source.BOX,
        centre_lps=_point(matrix[:3, 3]),
        size_mm=_point(size[order]),
        axes=(_point(axes[0]), _point(axes[1]), _point(axes[2])),
    )


def region_to_roi(scene: Any, region: Region, volume_node: Any = None) -> Any:
    """A new Markups ROI that shows a region and lets the user move it; :func:`roi_to_region` reads it back.

    Parameters
    ----------
    scene : vtkMRMLScene.
    region : a box, or a slice range (drawn across the whole of ``volume_node``).
    volume_node : the scan, needed for a slice range only.

    Returns
    -------
    vtkMRMLMarkupsROINode named after the organ, under no transform (its coordinates are the world's).

    Raises
    ------
    ValueError
        The region has no size: show it as a point.
    """
    if region.kind is Kind.SLICE_RANGE and volume_node is not None:
        region = _across(region, volume_node)
    if region.centre_lps is None or region.size_mm is None:
        raise ValueError(f"the region of {region.organ} has no size")
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", region.organ)
    node.CreateDefaultDisplayNodes()
    if node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetFillVisibility(False)  # the scan under the box is what the user aims by
    move_roi(node, region)
    return node


def move_roi(node: Any, region: Region) -> None:
    """Give a Markups ROI the place, size and axes of a box; it is taken out of any transform."""
    if region.centre_lps is None or region.size_mm is None:
        raise ValueError(f"the region of {region.organ} has no size")
    axes = np.asarray(region.axes, float)
    if np.linalg.det(axes) < 0:  # a box looks the same with one axis reversed, a ROI must be right-handed
        axes = axes * (-1.0, 1.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, region.centre_lps
    node.SetAndObserveTransformNodeID(None)
    node.SetAndObserveObjectToNodeMatrix(vtk_matrix(FLIP @ matrix))
    node.SetSize(*region.size_mm)


def region_to_point(scene: Any, region: Region) -> Any:
    """A new point list with one point at a region's centre; :func:`point_to_region` reads it back.

    Returns
    -------
    vtkMRMLMarkupsFiducialNode named after the organ, under no transform.
    """
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", region.organ)
    node.CreateDefaultDisplayNodes()
    move_point(node, region)
    return node


def move_point(node: Any, region: Region) -> None:
    """Put the one point of a point list at a region's centre; the list is taken out of any transform."""
    if region.centre_lps is None:
        raise ValueError(f"the region of {region.organ} has no centre")
    r, a, s = (float(v) for v in swap_ras_lps(region.centre_lps))
    node.SetAndObserveTransformNodeID(None)
    if node.GetNumberOfControlPoints() == 0:
        node.AddControlPoint(r, a, s)
        node.SetNthControlPointLabel(0, region.organ)
    else:
        node.SetNthControlPointPosition(0, r, a, s)


def point_to_region(node: Any, organ: str, index: int = 0) -> Region:
    """A placed control point as the clicked centre of an organ.

    Parameters
    ----------
    node : vtkMRMLMarkupsNode (a point list), under any transform. organ : TG-263 name. index : of the point.

    Raises
    ------
    InputRefused
        ``E_POINT`` if that point has not been placed.
    """
    if index >= node.GetNumberOfControlPoints() or node.GetNthControlPointPositionStatus(index) != node.PositionDefined:
        raise InputRefused("E_POINT", f"The centre of {organ} has not been placed yet. Click it in a slice view.")
    position = [0.0, 0.0, 0.0]
    node.GetNthControlPointPositionWorld(index, position)
    return Region.click(organ, swap_ras_lps(position))


def _nearest_to_patient(axes: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """The same box with its axes named and pointed as near to patient x, y, z as they come; and their old order.

    A ROI drawn in Slicer has RAS axes, so that a straight box would have axes -x, -y, z in LPS.
    """
    order = list(max(permutations(range(3)), key=lambda o: sum(abs(axes[p, a]) for p, a in enumerate(o))))
    chosen = axes[:, order]
    chosen = chosen * np.where(np.diag(chosen) < 0, -1.0, 1.0)
    return np.round(chosen, 12) + 0.0, order


def _across(region: Region, volume_node: Any) -> Region:
    """A slice range as a box over the whole slices of a scan."""
    if region.centre_lps is None or region.size_mm is None:
        return region
    geometry = volume_from_node(volume_node).standard.geometry
    index = geometry.lps_to_index(region.centre_lps)
    middle = (np.asarray(geometry.shape_zyx) - 1) / 2
    centre = geometry.index_to_lps((index[0], middle[1], middle[2]))
    depth, height, width = geometry.extent_zyx_mm
    rows = geometry.direction
    return replace(
        region,
        centre_lps=_point(centre),
        size_mm=(float(width), float(height), min(float(region.size_mm[2]), float(depth))),
        axes=(_point(rows[0]), _point(rows[1]), _point(rows[2])),
    )


def _point(values: Any) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z
