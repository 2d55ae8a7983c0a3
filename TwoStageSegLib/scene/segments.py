"""Results into a segmentation node, and segments back out: nothing but the one segment ever changes.

Two of Slicer's ways are avoided on purpose (measured on slicer-core 5.11):

- ``AddEmptySegment`` puts a new segment into a label image shared with others. Writing a grid other than that image's
  then resamples the *neighbours*. Here every segment that is written has a label image of its own.
- ``slicer.util.updateSegmentBinaryLabelmapFromArray`` leaves a hidden display node with a full-size image behind at
  each call. Here the segment is set without nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from ..errors import InputRefused
from ..mask import Mask
from ..structures import structure
from ..volume import Volume
from .frames import local_to_world, numpy_matrix, ras_from_geometry, vtk_matrix
from .labelmaps import Crop, image_from_crop, united
from .runtime import slicer_class
from .store import BINARY, add_segment, describe_segment, find_segment, read_segment, shares_its_image


class Existing(StrEnum):
    """What happens to a segment of the same name."""

    REPLACE = "replace"  # it becomes the mask
    PASTE = "paste"  # only the voxels of the mask's crop are replaced; those outside it stay
    BESIDE = "beside"  # it stays; the mask becomes a new segment


def put_mask(
    segmentation_node: Any,
    mask: Mask,
    volume_node: Any,
    existing: Existing = Existing.REPLACE,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Write a mask as a named, coloured, coded segment. All other segments keep every voxel, shared layers or not.

    Save the state first (:class:`UndoStack`) if the user shall be able to take it back.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode; an empty one goes under the volume's transform.
    mask : in the grid of ``volume_node``.
    volume_node : the vtkMRMLScalarVolumeNode that the mask was made from; it gives the place and, unless the
        segmentation already refers to another volume, the reference geometry.
    existing : what to do with a segment of that name.
    tags : segment tags, such as ``TwoStageSeg.Status``.

    Returns
    -------
    ID of the segment.

    Raises
    ------
    InputRefused
        ``E_GEOMETRY`` the mask is not of this volume; ``E_TRANSFORM`` volume and segmentation are under different
        transforms; ``E_SEGMENTATION`` the segmentation is not stored as label images.
    """
    _check(mask, volume_node)
    segmentation = segmentation_node.GetSegmentation()
    _prepare(segmentation_node, volume_node)
    matrix = vtk_matrix(np.eye(4))
    volume_node.GetIJKToRASMatrix(matrix)
    grid = numpy_matrix(matrix)

    segment_id = find_segment(segmentation, mask.organ)
    crop: Crop = (mask.start_zyx, mask.voxels)
    if segment_id is None or existing is Existing.BESIDE:
        segment_id = add_segment(segmentation, mask.organ, grid)
    elif existing is Existing.PASTE:
        before = read_segment(segmentation_node, segment_id, grid)
        crop = crop if before is None else united(before, crop)
    if shares_its_image(segmentation, segment_id):
        segmentation.SeparateSegmentLabelmap(segment_id)
    logic = slicer_class("vtkSlicerSegmentationsModuleLogic")
    if not logic.SetBinaryLabelmapToSegment(
        image_from_crop(crop, grid), segmentation_node, segment_id, logic.MODE_REPLACE
    ):
        raise InputRefused("E_SEGMENTATION", f"Slicer refused the voxels of {mask.organ}. Choose a new segmentation.")
    describe_segment(segmentation.GetSegment(segment_id), structure(mask.organ), tags or {})
    return segment_id


def mask_from_segment(segmentation_node: Any, segment_id: str, volume: Volume) -> Mask:
    """A segment as a mask in a volume's grid, wherever the two nodes stand in the scene.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode. segment_id : ID of a segment in it.
    volume : from :func:`volume_from_node`, that is with world geometry.

    Returns
    -------
    Mask named as the segment, trimmed; exact where the segment's voxels are the volume's, else the nearest voxel is
    taken. What lies outside the volume is cut off; an empty segment gives an empty mask.

    Raises
    ------
    InputRefused
        ``E_SEGMENTATION`` no such segment; ``E_TRANSFORM`` the segmentation is under a non-linear transform.
    """
    segment = segmentation_node.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        raise InputRefused(
            "E_SEGMENTATION", f"The segmentation has no segment {segment_id!r}. It may have been removed."
        )
    grid = np.linalg.inv(local_to_world(segmentation_node, "segmentation")) @ ras_from_geometry(volume.geometry)
    found = read_segment(segmentation_node, segment_id, grid)
    nothing = Mask(segment.GetName(), np.zeros((1, 1, 1), bool), (0, 0, 0), volume.geometry)
    if found is None:
        return nothing
    start, voxels = found
    lo = np.clip(start, 0, volume.voxels.shape)
    hi = np.clip(np.add(start, voxels.shape), 0, volume.voxels.shape)
    if (hi <= lo).any():
        return nothing
    part = voxels[tuple(slice(int(a - s), int(b - s)) for a, b, s in zip(lo, hi, start, strict=True))]
    return Mask(segment.GetName(), part, (int(lo[0]), int(lo[1]), int(lo[2])), volume.geometry).trimmed()


def _check(mask: Mask, volume_node: Any) -> None:
    """Slicer takes an array of any shape anywhere; so what does not fit is refused here."""
    image = volume_node.GetImageData()
    shape = tuple(image.GetDimensions()[::-1]) if image is not None else None
    spacing = np.multiply(
        volume_node.GetSpacing(), np.linalg.norm(_linear(volume_node) @ _directions(volume_node), axis=0)
    )
    end = np.add(mask.start_zyx, mask.voxels.shape)
    if (
        shape != tuple(mask.geometry.shape_zyx)
        or not np.allclose(spacing, mask.geometry.spacing_xyz_mm, rtol=1e-4)
        or min(mask.start_zyx) < 0
        or (end > mask.geometry.shape_zyx).any()
    ):
        raise InputRefused(
            "E_GEOMETRY", f"The result for {mask.organ} does not fit the image it shall be put on. Run it again."
        )


def _linear(volume_node: Any) -> np.ndarray:
    return local_to_world(volume_node, "image")[:3, :3]


def _directions(volume_node: Any) -> np.ndarray:
    matrix = vtk_matrix(np.eye(4))
    volume_node.GetIJKToRASDirectionMatrix(matrix)
    return numpy_matrix(matrix)[:3, :3]


def _prepare(segmentation_node: Any, volume_node: Any) -> None:
    """Reference geometry, transform and display of the node, and a refusal where they cannot be right."""
    segmentation = segmentation_node.GetSegmentation()
    empty = segmentation.GetNumberOfSegments() == 0
    if not empty and segmentation.GetSourceRepresentationName() != BINARY:
        raise InputRefused(
            "E_SEGMENTATION",
            "The segmentation is stored as surfaces or contours. In Segmentations, make Binary labelmap its source "
            "representation, or choose a new segmentation.",
        )
    if empty:
        segmentation.SetSourceRepresentationName(BINARY)
        segmentation_node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    elif not np.allclose(
        local_to_world(segmentation_node, "segmentation"), local_to_world(volume_node, "image"), atol=1e-4
    ):
        raise InputRefused(
            "E_TRANSFORM",
            "The segmentation is not under the same transform as the image, so the result would land elsewhere. "
            "Put both under the same transform, or choose a new segmentation.",
        )
    role = segmentation_node.GetReferenceImageGeometryReferenceRole()
    if segmentation_node.GetNodeReferenceID(role) in (None, volume_node.GetID()):
        segmentation_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    if segmentation_node.GetDisplayNode() is None:
        segmentation_node.CreateDefaultDisplayNodes()
