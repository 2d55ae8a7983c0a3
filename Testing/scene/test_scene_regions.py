"""Boxes and clicks in a real scene."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk

from Testing.harness.grids import GRIDS
from Testing.harness.mrml import scan, transformed
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.region import IDENTITY, Kind, Region, Source
from TwoStageSegLib.scene import point_to_region, region_to_roi, roi_to_region


def test_a_box_drawn_in_slicer_by_hand(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    node.SetCenter(10, -20, 30)  # RAS
    node.SetSize(40, 50, 60)
    region = roi_to_region(node, "Larynx")
    assert region == Region(
        "Larynx", Kind.BOX, Source.BOX, centre_lps=(-10, 20, 30), size_mm=(40, 50, 60), axes=IDENTITY
    )
    assert region.bounds_lps == (-30, 10, -5, 45, 0, 60)


def test_an_axis_aligned_box_is_shown_where_it_is(scene: Any) -> None:
    node = region_to_roi(scene, Region.box("Larynx", (-30, 10, -5, 45, 0, 60)))
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    assert np.allclose(bounds, (-10, 30, -45, 5, 0, 60))
    assert node.GetName() == "Larynx"
    back = roi_to_region(node, "Larynx")
    assert back == Region.box("Larynx", (-30, 10, -5, 45, 0, 60))


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_oblique_box_survives_the_way_there_and_back(scene: Any, mirrored: bool) -> None:
    axes = Rotation.from_euler("xyz", [12, -20, 31], degrees=True).as_matrix() * (1, 1, -1 if mirrored else 1)
    rows = tuple(tuple(float(v) for v in row) for row in axes)
    region = Region(
        "Larynx", Kind.BOX, Source.AUTO, centre_lps=(5.0, -7.0, 300.0), size_mm=(20.0, 30.0, 70.0), axes=rows
    )
    back = roi_to_region(region_to_roi(scene, region), "Larynx")
    assert back.source is Source.BOX
    assert np.allclose(back.centre_lps, region.centre_lps)
    assert np.allclose(_sorted(back.corners_lps()), _sorted(region.corners_lps()), atol=1e-6)
    assert np.allclose(np.abs(np.array(back.axes)), np.abs(axes), atol=1e-9)
    assert np.linalg.det(np.array(back.axes)) > 0


def test_axes_are_named_after_the_patient_whatever_way_the_roi_was_turned(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1))  # its x runs to A, y to S, z to R
    node.SetAndObserveObjectToNodeMatrix(matrix)
    node.SetSize(1, 2, 3)
    region = roi_to_region(node, "Larynx")
    assert region.axes == IDENTITY
    assert region.size_mm == (3, 1, 2)


def test_a_box_under_a_transform_is_where_it_is_seen(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    node.SetCenter(1, 2, 3)
    node.SetSize(10, 20, 30)
    transformed(scene, node)  # (x, y, z) -> (-y + 10, x + 20, z + 30), RAS
    region = roi_to_region(node, "Larynx")
    assert np.allclose(region.centre_lps, (-8, -21, 33))
    assert np.allclose(region.size_mm, (20, 10, 30))
    scale = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 2, 2)
    scale.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(scale.GetID())
    assert np.allclose(roi_to_region(node, "Larynx").size_mm, (10, 20, 60))


def test_a_box_without_size_is_refused(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    for size in (None, (10, 10, 0), (10, 10, np.nan)):
        if size:
            node.SetSize(*size)
        with pytest.raises(InputRefused, match="Draw it again") as caught:
            roi_to_region(node, "Larynx")
        assert caught.value.code == "E_BOX"


def test_a_slice_range_is_drawn_across_the_scan(scene: Any) -> None:
    volume = scan(scene, GRIDS["axial"])  # 13 x 11 x 9 voxels of 0.9 x 1.1 x 2.5 mm from (-31.5, 12.25, -640)
    region = Region(
        "Esophagus", Kind.SLICE_RANGE, Source.AUTO, centre_lps=(99.0, 99.0, -630.0), size_mm=(1.0, 1.0, 10.0)
    )
    drawn = roi_to_region(region_to_roi(scene, region, volume), "Esophagus")
    assert np.allclose(drawn.centre_lps, (-31.5 + 6 * 0.9, 12.25 + 5 * 1.1, -630))
    assert np.allclose(drawn.size_mm, (13 * 0.9, 11 * 1.1, 10))


def test_a_region_without_size_is_no_box(scene: Any) -> None:
    for region in (Region.click("Larynx", (0, 0, 0)), Region.not_located("Larynx")):
        with pytest.raises(ValueError, match="no size"):
            region_to_roi(scene, region)


def test_a_click_in_slicer_is_a_centre(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    with pytest.raises(InputRefused, match="not been placed") as caught:
        point_to_region(node, "Larynx")
    assert caught.value.code == "E_POINT"
    node.AddControlPoint((10, -20, 30))
    node.AddControlPoint((1, 2, 3))
    assert point_to_region(node, "Larynx") == Region.click("Larynx", (-10, 20, 30))
    assert point_to_region(node, "Larynx", 1).centre_lps == (-1, -2, 3)
    transformed(scene, node)
    assert np.allclose(point_to_region(node, "Larynx", 1).centre_lps, (-8, -21, 33))


def test_a_point_taken_back_is_not_a_click(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    node.AddControlPoint((1, 2, 3))
    node.UnsetNthControlPointPosition(0)
    with pytest.raises(InputRefused):
        point_to_region(node, "Larynx")


def _sorted(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(np.round(points, 4).T)]
