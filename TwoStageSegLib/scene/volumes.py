"""A scan in the scene as a :class:`Volume`, and back. Voxels are a view: a scan is never copied to be segmented."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonDataModel import vtkImageData

from ..errors import InputRefused
from ..volume import Volume
from .frames import geometry_from_ras, local_to_world, numpy_matrix, ras_from_geometry, vtk_matrix
from .runtime import slicer_class

_MODALITY = "DICOM.Modality"
_SOFT_TISSUE_HU = (400.0, 40.0)  # window, level


def volume_from_node(node: Any) -> Volume:
    """A volume node as the engine sees it.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode.

    Returns
    -------
    Volume whose ``voxels`` ``(z, y, x)`` are a view of the node's own and whose geometry is in *world* LPS mm: a
    linear parent transform is included, so that points picked in the views and the volume agree.

    Raises
    ------
    InputRefused
        ``E_EMPTY`` no voxels; ``E_DIM`` one slice; ``E_COMPONENTS`` several values per voxel (colour, vectors);
        ``E_TRANSFORM`` a non-linear parent transform; ``E_GEOMETRY`` axes not at right angles.
    """
    voxels = voxels_view(node.GetImageData() if node is not None else None)
    matrix = _matrix(node)
    depth, height, width = voxels.shape
    if min(voxels.shape) < 2:
        raise InputRefused("E_DIM", f"The image is {width} x {height} x {depth} voxels; a 3D volume is needed.")
    geometry = geometry_from_ras(local_to_world(node, "image") @ matrix, (depth, height, width))
    return Volume(voxels, geometry, modality_of(node))


def node_from_volume(scene: Any, volume: Volume, name: str) -> Any:
    """A new scalar volume node in the scene with a copy of the voxels; CT opens in a soft-tissue window.

    Parameters
    ----------
    scene : vtkMRMLScene. name : the node's name, as the user will see it.

    Returns
    -------
    vtkMRMLScalarVolumeNode with the volume's grid, under no transform.
    """
    voxels = volume.voxels
    plain = {"b": np.uint8, "f2": np.float32}  # what VTK has no type for
    dtype = np.dtype(plain.get(voxels.dtype.kind, plain.get(voxels.dtype.str[1:], voxels.dtype))).newbyteorder("=")
    image = vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.AllocateScalars(numpy_support.get_vtk_array_type(dtype), 1)
    voxels_view(image)[...] = voxels

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(vtk_matrix(ras_from_geometry(volume.geometry)))
    node.SetAndObserveImageData(image)
    node.CreateDefaultDisplayNodes()
    if volume.modality:
        node.SetAttribute(_MODALITY, volume.modality)
    if volume.modality == "CT" and node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetWindowLevel(*_SOFT_TISSUE_HU)
    return node


def voxels_view(image: Any) -> NDArray:
    """A VTK image's voxels as a ``(z, y, x)`` array that shares its memory (and keeps it alive)."""
    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        raise InputRefused("E_EMPTY", "The image holds no voxels. Load it again or choose another.")
    if scalars.GetNumberOfComponents() != 1:
        raise InputRefused(
            "E_COMPONENTS", "The image has several values per voxel (colour or vectors); a CT or MR is needed."
        )
    x, y, z = image.GetDimensions()
    return numpy_support.vtk_to_numpy(scalars).reshape(z, y, x)


def modality_of(node: Any) -> str:
    """DICOM modality of a volume node, "" if nothing says it.

    Asked in this order: an attribute on the node, the subject hierarchy (where Slicer's DICOM import writes it), the
    unit of the voxels (Hounsfield is CT).
    """
    if said := node.GetAttribute(_MODALITY):
        return str(said)
    scene = node.GetScene()
    tree = slicer_class("vtkMRMLSubjectHierarchyNode").GetSubjectHierarchyNode(scene) if scene is not None else None
    if tree is not None and (item := tree.GetItemByDataNode(node)):
        # on the series; by some importers only on the study or patient above it
        said = tree.GetItemAttribute(item, _MODALITY) or tree.GetAttributeFromItemAncestor(item, _MODALITY)
        if said:
            return str(said)
    units = node.GetVoxelValueUnits()
    return "CT" if units is not None and "hnsf" in str(units.GetCodeValue()) else ""


def _matrix(node: Any) -> NDArray[np.float64]:
    matrix = vtk_matrix(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    return numpy_matrix(matrix)
