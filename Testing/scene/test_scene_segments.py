"""Masks into a real segmentation node: right place, right names, and nothing else touched."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from Testing.harness.grids import GRIDS, organs
from Testing.harness.mrml import BINARY, expected, placed, scan, segmentation_node, shared_layer, transformed
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.scene import Existing, mask_from_segment, put_mask, volume_from_node
from TwoStageSegLib.structures import structure


@pytest.mark.parametrize("kind", GRIDS)
def test_named_coloured_coded_and_in_the_right_place(scene: Any, kind: str) -> None:
    geometry = GRIDS[kind]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    for mask in organs(geometry):
        segment_id = put_mask(node, mask, volume, tags={"TwoStageSeg.Status": "located"})
        segment = node.GetSegmentation().GetSegment(segment_id)
        assert (segment_id, segment.GetName()) == (mask.organ, mask.organ)
        assert [round(c * 255) for c in segment.GetColor()] == list(structure(mask.organ).rgb)
        assert segment.GetTerminology() == structure(mask.organ).terminology
        assert segment.HasTag("TwoStageSeg.Status")
    for mask in organs(geometry):
        assert placed(node, mask.organ) == expected(mask)
    assert node.GetDisplayNode() is not None


@pytest.mark.parametrize("kind", GRIDS)
def test_a_segment_comes_back_as_the_same_mask(scene: Any, kind: str) -> None:
    geometry = GRIDS[kind]
    node_ct, node = scan(scene, geometry), segmentation_node(scene)
    volume = volume_from_node(node_ct)
    for mask in organs(geometry):
        put_mask(node, mask, node_ct)
        back = mask_from_segment(node, mask.organ, volume)
        assert back.organ == mask.organ
        assert np.array_equal(back.full(), mask.full())
        assert back.voxels.size <= mask.voxels.size


def test_reference_geometry_is_the_whole_volume(scene: Any) -> None:
    geometry = GRIDS["oblique"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    put_mask(node, organs(geometry)[0], volume)
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReferenceID(role) == volume.GetID()
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    image = slicer.vtkOrientedImageData()
    text = node.GetSegmentation().GetConversionParameter(name)
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
    assert image.GetDimensions() == (13, 11, 9)
    another = scan(scene, geometry)
    put_mask(node, organs(geometry)[1], another)
    assert node.GetNodeReferenceID(role) == volume.GetID()  # someone's choice is not taken away


@pytest.mark.parametrize("existing", list(Existing))
@pytest.mark.parametrize("overlapping", [False, True])
def test_a_neighbour_in_the_same_layer_keeps_every_voxel(scene: Any, existing: Existing, overlapping: bool) -> None:
    geometry = GRIDS["axial"]
    volume = scan(scene, geometry)
    node, before = shared_layer(scene, volume)
    start = (2, 3, 4) if overlapping else (6, 6, 7)
    crop = np.ones((3, 4, 5), bool)
    crop[0, 0, 0] = False  # pasting also takes a voxel away
    mask = Mask("Brainstem", crop, start, geometry)
    segment_id = put_mask(node, mask, volume, existing)
    world = volume_from_node(volume)
    assert np.array_equal(mask_from_segment(node, "Mine", world).full(), before["Mine"])
    assert node.GetSegmentation().GetSegment("Mine").GetLabelValue() == 1
    pasted = before["Brainstem"].copy()
    pasted[mask.slices_zyx] = crop
    wanted = {Existing.REPLACE: mask.full(), Existing.PASTE: pasted, Existing.BESIDE: mask.full()}[existing]
    assert np.array_equal(mask_from_segment(node, segment_id, world).full(), wanted)
    if existing is Existing.BESIDE:
        assert segment_id not in ("Mine", "Brainstem")
        assert np.array_equal(mask_from_segment(node, "Brainstem", world).full(), before["Brainstem"])
        assert node.GetSegmentation().GetSegment(segment_id).GetTerminology() == structure("Brainstem").terminology
    else:
        assert segment_id == "Brainstem"


@pytest.mark.parametrize("organ", ["Brainstem", "Larynx"])
def test_a_neighbour_drawn_on_a_finer_grid_keeps_every_voxel(scene: Any, organ: str) -> None:
    """Slicer itself would resample the shared layer to the coarser grid here, be the segment new or old."""
    fine, coarse = GRIDS["axial"], replace(GRIDS["oblique"], spacing_xyz_mm=(2.7, 3.1, 5.0))
    volume = scan(scene, fine)
    node, before = shared_layer(scene, volume)
    mask = replace(organs(coarse)[0], organ=organ)
    put_mask(node, mask, scan(scene, coarse))
    world = volume_from_node(volume)
    for name in {"Mine", "Brainstem"} - {organ}:
        assert np.array_equal(mask_from_segment(node, name, world).full(), before[name])
    assert placed(node, organ) == expected(mask)


def test_the_segment_that_moves_out_leaves_no_label_behind(scene: Any) -> None:
    volume = scan(scene, GRIDS["axial"])
    node, _ = shared_layer(scene, volume)
    put_mask(node, organs(GRIDS["axial"])[0], volume)
    image = node.GetSegmentation().GetSegment("Mine").GetRepresentation(BINARY)
    assert set(vtk_to_numpy(image.GetPointData().GetScalars())) == {0, 1}


def test_a_colour_that_a_person_chose_stays(scene: Any) -> None:
    geometry = GRIDS["axial"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    put_mask(node, organs(geometry)[0], volume)
    segment = node.GetSegmentation().GetSegment("Brainstem")
    segment.SetColor(0.25, 0.5, 0.75)
    put_mask(node, organs(geometry)[0], volume)
    assert segment.GetColor() == (0.25, 0.5, 0.75)


def test_a_segment_is_found_by_its_name_too(scene: Any) -> None:
    geometry = GRIDS["axial"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    node.GetSegmentation().AddEmptySegment("Segment_1", "Brainstem")
    assert put_mask(node, organs(geometry)[0], volume) == "Segment_1"
    assert node.GetSegmentation().GetNumberOfSegments() == 1


def test_closed_surfaces_follow_the_new_voxels(scene: Any) -> None:
    geometry = GRIDS["axial"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    put_mask(node, Mask("Brainstem", np.ones((2, 2, 2), bool), (0, 0, 0), geometry), volume)
    node.CreateClosedSurfaceRepresentation()
    put_mask(node, Mask("Brainstem", np.ones((2, 2, 2), bool), (5, 5, 5), geometry), volume)
    surface = vtk.vtkPolyData()
    assert node.GetClosedSurfaceRepresentation("Brainstem", surface)
    x, y, z = geometry.index_to_lps((5.5, 5.5, 5.5))
    assert np.allclose(surface.GetCenter(), (-x, -y, z), atol=0.05)


def test_memory_and_nodes_stay_flat_over_many_writes(scene: Any) -> None:
    geometry = Geometry((60, 200, 200), (0, 0, 0), (1, 1, 2.5))
    volume, node = scan(scene, geometry), segmentation_node(scene)
    mask = Mask("Brainstem", np.ones((40, 150, 150), bool), (5, 20, 20), geometry)  # 0.9 MB; the volume is 2.4 MB
    world = volume_from_node(volume)
    for _ in range(5):
        put_mask(node, mask, volume, Existing.PASTE)
        mask_from_segment(node, "Brainstem", world)
    nodes, before = scene.GetNumberOfNodes(), _rss_mb()
    for _ in range(30):
        put_mask(node, mask, volume, Existing.PASTE)
        mask_from_segment(node, "Brainstem", world)
    assert scene.GetNumberOfNodes() == nodes
    assert _rss_mb() - before < 10  # slicer.util's way: 60 calls of at least 0.9 MB, and a node each


def _rss_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        pytest.skip("no /proc here")


def test_under_a_linear_transform_the_result_lands_in_the_world(scene: Any) -> None:
    geometry = GRIDS["oblique"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    transformed(scene, volume)
    world = volume_from_node(volume)
    assert not np.allclose(world.geometry.matrix, geometry.matrix)
    mask = replace(organs(geometry)[0], geometry=world.geometry)
    put_mask(node, mask, volume)
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    assert placed(node, "Brainstem") == expected(mask)
    assert np.array_equal(mask_from_segment(node, "Brainstem", world).full(), mask.full())
    # the same segment seen from a scan that is not under the transform
    other = volume_from_node(scan(scene, world.geometry))
    assert np.array_equal(mask_from_segment(node, "Brainstem", other).full(), mask.full())


def test_two_different_transforms_are_refused(scene: Any) -> None:
    geometry = GRIDS["axial"]
    volume, node = scan(scene, geometry), segmentation_node(scene)
    put_mask(node, organs(geometry)[0], volume)
    transformed(scene, volume)
    moved = replace(organs(geometry)[1], geometry=volume_from_node(volume).geometry)
    with pytest.raises(InputRefused, match="same transform") as caught:
        put_mask(node, moved, volume)
    assert caught.value.code == "E_TRANSFORM"
    assert node.GetSegmentation().GetNumberOfSegments() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"shape_zyx": (9, 11, 12)},
        {"spacing_xyz_mm": (0.9, 1.1, 2.6)},
    ],
)
def test_a_mask_of_another_image_is_refused(scene: Any, change: dict[str, Any]) -> None:
    volume, node = scan(scene, GRIDS["axial"]), segmentation_node(scene)
    mask = Mask("Brainstem", np.ones((2, 2, 2), bool), (0, 0, 0), replace(GRIDS["axial"], **change))
    outside = Mask("Brainstem", np.ones((2, 2, 2), bool), (8, 0, 0), GRIDS["axial"])
    for wrong in (mask, outside):
        with pytest.raises(InputRefused, match="does not fit") as caught:
            put_mask(node, wrong, volume)
        assert caught.value.code == "E_GEOMETRY"
    assert node.GetSegmentation().GetNumberOfSegments() == 0


def test_a_segment_on_a_turned_finer_grid_is_sampled_at_the_nearest_voxel(scene: Any) -> None:
    fine = Geometry((8, 8, 8), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    node = segmentation_node(scene)
    # index x runs to the back, y to the right: voxels x 2..5, y 1..4 lie at LPS x -4..-1, y 2..5
    put_mask(node, Mask("Brainstem", np.ones((4, 4, 4), bool), (2, 1, 2), fine), scan(scene, fine))
    coarse = Geometry((4, 4, 4), (-6.4, 0.1, 0.1), (2.0, 2.0, 2.0))
    found = mask_from_segment(node, "Brainstem", volume_from_node(scan(scene, coarse))).full()
    # centres: x -6.4 -4.4 -2.4 -0.4, y and z 0.1 2.1 4.1 6.1; the block: x -4.5..-0.5, y and z 1.5..5.5
    wanted = np.zeros((4, 4, 4), bool)
    wanted[1:3, 1:3, 1:3] = True
    assert np.array_equal(found, wanted)


def test_what_lies_outside_the_volume_is_cut_off_and_nothing_is_a_mask_too(scene: Any) -> None:
    big, small = Geometry((6, 6, 6), (0, 0, 0), (1, 1, 1)), Geometry((3, 3, 3), (2, 2, 2), (1, 1, 1))
    node = segmentation_node(scene)
    put_mask(node, Mask("Brainstem", np.ones((3, 3, 3), bool), (0, 0, 0), big), scan(scene, big))
    put_mask(node, Mask("Larynx", np.ones((2, 2, 2), bool), (0, 0, 0), big), scan(scene, big))
    volume = volume_from_node(scan(scene, small))
    assert np.argwhere(mask_from_segment(node, "Brainstem", volume).full()).tolist() == [[0, 0, 0]]
    assert mask_from_segment(node, "Larynx", volume).empty
    with pytest.raises(InputRefused, match="no segment"):
        mask_from_segment(node, "gone", volume)


def test_surfaces_are_read_but_not_overwritten(scene: Any) -> None:
    geometry = Geometry((20, 20, 20), (0, 0, 0), (1, 1, 1))
    volume, node = scan(scene, geometry), segmentation_node(scene)
    cube = vtk.vtkCubeSource()
    cube.SetBounds(-12.5, -7.5, -12.5, -7.5, 7.5, 12.5)  # RAS: voxels 8..12
    cube.Update()
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(cube.GetOutputPort())
    triangles.Update()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.AddSegmentFromClosedSurfaceRepresentation(triangles.GetOutput(), "cube", [1, 0, 0], "cube")
    found = mask_from_segment(node, "cube", volume_from_node(volume)).full()
    assert found[9:12, 9:12, 9:12].all()
    assert 27 <= found.sum() <= 216
    with pytest.raises(InputRefused, match="surfaces or contours") as caught:
        put_mask(node, Mask("Brainstem", np.ones((2, 2, 2), bool), (0, 0, 0), geometry), volume)
    assert caught.value.code == "E_SEGMENTATION"
