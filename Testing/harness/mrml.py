"""Real nodes for tests, and where their voxels are according to VTK alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.scene import node_from_volume
from TwoStageSegLib.volume import Volume

BINARY = "Binary labelmap"


def scan(scene: Any, geometry: Geometry) -> Any:
    return node_from_volume(scene, Volume(np.zeros(geometry.shape_zyx, np.int16), geometry), "CT")


def segmentation_node(scene: Any) -> Any:
    return scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")


def placed(node: Any, segment_id: str) -> set[tuple[float, ...]]:
    """World RAS points (0.01 mm) of a segment's voxels, parent transform applied, by VTK alone."""
    image = slicer.vtkOrientedImageData()
    assert node.GetBinaryLabelmapRepresentation(segment_id, image)
    to_node, to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_node)
    if node.GetParentTransformNode():
        node.GetParentTransformNode().GetMatrixTransformToWorld(to_world)
    points = set()
    x0, x1, y0, y1, z0, z1 = image.GetExtent()
    for z in range(z0, z1 + 1):
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if image.GetScalarComponentAsDouble(x, y, z, 0):
                    point = to_world.MultiplyPoint(to_node.MultiplyPoint((x, y, z, 1)))
                    points.add(tuple(round(v, 2) + 0.0 for v in point[:3]))
    return points


def expected(mask: Mask) -> set[tuple[float, ...]]:
    """The same points from the mask: origin + direction * spacing * index, then LPS to RAS."""
    geometry = mask.geometry
    points = set()
    for z, y, x in np.argwhere(mask.full()):
        lps = np.array(geometry.origin_lps) + np.array(geometry.direction) @ (
            np.array(geometry.spacing_xyz_mm) * (x, y, z)
        )
        points.add(tuple(round(float(v), 2) + 0.0 for v in lps * (-1, -1, 1)))
    return points


def shared_layer(scene: Any, volume: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """A segmentation as the Segment Editor leaves it: two segments in one label image, labels 1 and 2."""
    node = segmentation_node(scene)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation = node.GetSegmentation()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    arrays = {}
    for name, at in (("Mine", np.s_[1:4, 1:5, 1:6]), ("Brainstem", np.s_[5:8, 6:9, 7:12])):
        segmentation.AddEmptySegment(name, name)
        array = np.zeros(tuple(volume.GetImageData().GetDimensions()[::-1]), np.uint8)
        array[at] = 1
        arrays[name] = array > 0
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(*array.shape[::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        image.SetImageToWorldMatrix(matrix)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = array.ravel()
        assert logic.SetBinaryLabelmapToSegment(image, node, name, logic.MODE_REPLACE)
    assert segmentation.GetNumberOfLayers(BINARY) == 1
    assert segmentation.GetSegment("Brainstem").GetLabelValue() == 2
    return node, arrays


def transformed(scene: Any, node: Any) -> None:
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((0, -1, 0, 10, 1, 0, 0, 20, 0, 0, 1, 30, 0, 0, 0, 1))
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
