"""Scans in a real MRML scene."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")
import slicer
import vtk

from Testing.harness.grids import GRIDS
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.scene import node_from_volume, volume_from_node
from TwoStageSegLib.volume import Volume


def numbered(kind: str, dtype: Any = np.int16) -> Volume:
    geometry = GRIDS[kind]
    return Volume(np.arange(np.prod(geometry.shape_zyx)).reshape(geometry.shape_zyx).astype(dtype), geometry)


def under(scene: Any, node: Any, matrix: np.ndarray) -> Any:
    """Put a node under a new linear transform given as a RAS matrix."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    m = vtk.vtkMatrix4x4()
    m.DeepCopy(matrix.ravel())
    transform.SetMatrixTransformToParent(m)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


@pytest.mark.parametrize("kind", GRIDS)
def test_voxels_and_grid_survive_the_way_there_and_back(scene: Any, kind: str) -> None:
    volume = numbered(kind)
    node = node_from_volume(scene, volume, "CT")
    back = volume_from_node(node)
    assert np.array_equal(back.voxels, volume.voxels)
    assert back.voxels.dtype == np.int16
    assert np.allclose(back.geometry.matrix, volume.geometry.matrix, atol=1e-10)
    assert back.geometry.shape_zyx == volume.geometry.shape_zyx


@pytest.mark.parametrize("kind", GRIDS)
def test_slicer_puts_a_voxel_where_we_do(scene: Any, kind: str) -> None:
    volume = numbered(kind)
    node = node_from_volume(scene, volume, "CT")
    to_ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_ras)
    r, a, s, _ = to_ras.MultiplyPoint((7, 5, 3, 1))
    g = volume.geometry
    lps = np.array(g.origin_lps) + np.array(g.direction) @ (np.array(g.spacing_xyz_mm) * (7, 5, 3))
    assert np.allclose((-r, -a, s), lps)
    assert node.GetImageData().GetScalarComponentAsDouble(7, 5, 3, 0) == volume.voxels[3, 5, 7]


def test_voxels_are_a_view_that_outlives_the_node(scene: Any) -> None:
    node = node_from_volume(scene, numbered("axial"), "CT")
    view = volume_from_node(node).voxels
    node.GetImageData().SetScalarComponentFromDouble(2, 1, 0, 0, -77)
    assert view[0, 1, 2] == -77
    scene.RemoveNode(node)
    del node
    gc.collect()
    assert view[0, 1, 2] == -77
    assert view[8, 10, 12] == 9 * 11 * 13 - 1


@pytest.mark.parametrize(("dtype", "stored"), [(bool, np.uint8), (np.float16, np.float32), (np.float64, np.float64)])
def test_types_that_vtk_lacks_are_converted(scene: Any, dtype: Any, stored: Any) -> None:
    volume = numbered("axial", dtype)
    back = volume_from_node(node_from_volume(scene, volume, "CT")).voxels
    assert back.dtype == stored
    assert np.array_equal(back, volume.voxels.astype(stored))


def test_a_view_in_another_byte_order_is_accepted(scene: Any) -> None:
    volume = numbered("axial", ">i2")
    flipped = Volume(volume.voxels[::-1], volume.geometry)
    assert np.array_equal(volume_from_node(node_from_volume(scene, flipped, "CT")).voxels, flipped.voxels)


def test_a_ct_opens_in_a_soft_tissue_window_and_stays_a_ct(scene: Any) -> None:
    volume = numbered("axial")
    node = node_from_volume(scene, Volume(volume.voxels, volume.geometry, "CT"), "CT")
    assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == (400, 40)
    assert volume_from_node(node).modality == "CT"
    assert volume_from_node(node_from_volume(scene, volume, "unknown")).modality == ""


def test_modality_as_slicers_dicom_import_leaves_it(scene: Any) -> None:
    node = node_from_volume(scene, numbered("axial"), "series")
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = tree.CreateItem(tree.GetSceneItemID(), node)
    assert volume_from_node(node).modality == ""
    tree.SetItemAttribute(item, "DICOM.Modality", "MR")
    assert volume_from_node(node).modality == "MR"
    other = node_from_volume(scene, numbered("axial"), "units")
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning("[hnsf'U]", "UCUM", "Hounsfield unit")
    other.SetVoxelValueUnits(units)
    assert volume_from_node(other).modality == "CT"


def test_a_linear_transform_moves_the_volume_in_the_world(scene: Any) -> None:
    node = node_from_volume(scene, numbered("axial"), "CT")
    quarter_turn = np.array([[0.0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]])  # RAS, about the long axis
    under(scene, node, quarter_turn)
    geometry = volume_from_node(node).geometry
    # first voxel: LPS (-31.5, 12.25, -640) = RAS (31.5, -12.25, -640) -> RAS (12.25+10, 31.5+20, -610)
    assert np.allclose(geometry.origin_lps, (-22.25, -51.5, -610))
    # x ran to the left (RAS -x); turned it runs to RAS -y, which is LPS +y
    assert np.allclose(np.array(geometry.direction)[:, 0], (0, 1, 0))
    assert np.allclose(geometry.spacing_xyz_mm, (0.9, 1.1, 2.5))
    world = [0.0, 0.0, 0.0]
    node.GetParentTransformNode().GetTransformToParent().TransformPoint((31.5, -12.25, -640), world)
    assert np.allclose(world, (22.25, 51.5, -610))


def test_chained_transforms_and_scaling_count(scene: Any) -> None:
    node = node_from_volume(scene, numbered("axial"), "CT")
    inner = under(scene, node, np.diag([1.0, 1, 2, 1]))
    shift = np.eye(4)
    shift[:3, 3] = 1, 2, 3
    under(scene, inner, shift)
    geometry = volume_from_node(node).geometry
    assert np.allclose(geometry.spacing_xyz_mm, (0.9, 1.1, 5.0))
    assert np.allclose(geometry.origin_lps, (-32.5, 10.25, -1277))


def test_a_non_linear_transform_is_refused_with_the_reason(scene: Any) -> None:
    node = node_from_volume(scene, numbered("axial"), "CT")
    spline = vtk.vtkThinPlateSplineTransform()
    points, moved = vtk.vtkPoints(), vtk.vtkPoints()
    for p in ((0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9), (9, 9, 9)):
        points.InsertNextPoint(p)
        moved.InsertNextPoint((p[0], p[1] + p[0] * p[2] * 0.1, p[2]))
    spline.SetSourceLandmarks(points)
    spline.SetTargetLandmarks(moved)
    spline.SetBasisToR()
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    transform.SetAndObserveTransformToParent(spline)
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputRefused, match="non-linear transform") as caught:
        volume_from_node(node)
    assert caught.value.code == "E_TRANSFORM"
    shear = np.eye(4)
    shear[0, 1] = 0.2
    under(scene, node, shear)
    with pytest.raises(InputRefused, match="right angles"):
        volume_from_node(node)


def test_what_is_no_scan_is_refused(scene: Any) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    colour, slice_ = vtk.vtkImageData(), vtk.vtkImageData()
    colour.SetDimensions(3, 3, 3)
    colour.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    slice_.SetDimensions(3, 3, 1)
    slice_.AllocateScalars(vtk.VTK_SHORT, 1)
    for node_class, image, code in (
        ("vtkMRMLScalarVolumeNode", None, "E_EMPTY"),
        ("vtkMRMLVectorVolumeNode", colour, "E_COMPONENTS"),
        ("vtkMRMLScalarVolumeNode", slice_, "E_DIM"),
    ):
        node = scene.AddNewNodeByClass(node_class)
        node.SetAndObserveImageData(image)
        with pytest.raises(InputRefused) as caught:
            volume_from_node(node)
        assert caught.value.code == code
    for nothing in (None, empty):
        with pytest.raises(InputRefused, match="no voxels"):
            volume_from_node(nothing)
