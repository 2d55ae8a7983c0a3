"""Our segmentation file, read byte by byte and by our own reader."""

from __future__ import annotations

import gzip
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.grids import GRIDS, organs
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.segnrrd import read_segmentation, write_segmentation

TINY = Geometry((2, 2, 3), (1.0, -2.0, 3.5), (0.5, 1.0, 2.0))


def parts(path: Path) -> tuple[list[str], bytes]:
    head, _, body = path.read_bytes().partition(b"\n\n")
    return head.decode().split("\n"), gzip.decompress(body)


def test_one_layer_is_a_plain_3d_file_with_every_field_as_expected(tmp_path: Path) -> None:
    mask = Mask("Brainstem", np.array([[[True, False]], [[True, True]]]), (0, 1, 1), TINY)
    write_segmentation(tmp_path / "a.seg.nrrd", [mask], TINY, {"TwoStageSeg.Model": "hn 1.0"})
    lines, voxels = parts(tmp_path / "a.seg.nrrd")
    assert lines[0] == "NRRD0004"
    for line in (
        "type: unsigned char",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: 3 2 2",
        "space directions: (0.5,0.0,0.0) (0.0,1.0,0.0) (0.0,0.0,2.0)",
        "kinds: domain domain domain",
        "encoding: gzip",
        "space origin: (1.0,-2.0,3.5)",
        "Segment0_ID:=Brainstem",
        "Segment0_Name:=Brainstem",
        "Segment0_LabelValue:=1",
        "Segment0_Layer:=0",
        "Segment0_Extent:=1 2 1 1 0 1",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
    ):
        assert line in lines
    tags = next(line for line in lines if line.startswith("Segment0_Tags:="))
    assert "TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^" in tags
    assert tags.endswith("|TwoStageSeg.Model:hn 1.0|")
    assert list(voxels) == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]


def test_overlap_makes_a_list_axis_that_comes_first(tmp_path: Path) -> None:
    one = Mask("Brainstem", np.ones((1, 1, 2), bool), (0, 0, 0), TINY)
    two = Mask("SpinalCord", np.ones((1, 1, 2), bool), (0, 0, 1), TINY)
    write_segmentation(tmp_path / "a.seg.nrrd", [one, two], TINY)
    lines, voxels = parts(tmp_path / "a.seg.nrrd")
    assert "sizes: 2 3 2 2" in lines
    assert "space directions: none (0.5,0.0,0.0) (0.0,1.0,0.0) (0.0,0.0,2.0)" in lines
    assert "kinds: list domain domain domain" in lines
    assert "Segment1_Layer:=1" in lines
    assert list(voxels[:6]) == [1, 0, 1, 1, 0, 1]  # voxel by voxel: layer 0, layer 1
    assert not any(voxels[6:])


@pytest.mark.parametrize("kind", GRIDS)
def test_what_is_written_is_read_back(tmp_path: Path, kind: str) -> None:
    geometry = GRIDS[kind]
    masks = organs(geometry)
    write_segmentation(tmp_path / "a.seg.nrrd", masks, geometry)
    back = read_segmentation(tmp_path / "a.seg.nrrd")
    assert [m.organ for m in back] == [m.organ for m in masks]
    for mask, again in zip(masks, back, strict=True):
        assert np.array_equal(again.full(), mask.full())
        assert np.allclose(again.geometry.matrix, geometry.matrix, atol=1e-12)


def test_slabs_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = GRIDS["axial"]
    monkeypatch.setattr("TwoStageSegLib.outputs.segnrrd._SLAB_BYTES", 1)
    write_segmentation(tmp_path / "a.seg.nrrd", organs(geometry), geometry)
    for mask, again in zip(organs(geometry), read_segmentation(tmp_path / "a.seg.nrrd"), strict=True):
        assert np.array_equal(again.full(), mask.full())


def test_a_big_volume_needs_a_slab_not_the_volume(tmp_path: Path) -> None:
    geometry = Geometry((100, 512, 512), (0, 0, 0), (1, 1, 2.5))  # 26 MB a layer, two layers
    masks = [Mask(name, np.ones((9, 40, 40), bool), (50, 200, 200), geometry) for name in ("Brainstem", "SpinalCord")]
    tracemalloc.start()
    write_segmentation(tmp_path / "a.seg.nrrd", masks, geometry)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


def test_no_mask_at_all_is_an_empty_segmentation(tmp_path: Path) -> None:
    write_segmentation(tmp_path / "a.seg.nrrd", [], TINY)
    assert read_segmentation(tmp_path / "a.seg.nrrd") == []


def test_tags_cannot_break_the_line_they_stand_in(tmp_path: Path) -> None:
    mask = Mask("Brainstem", np.ones((1, 1, 1), bool), (0, 0, 0), TINY)
    organ_tags = {"Brainstem": {"TwoStageSeg.Status": "low|confi\ndence"}, "Larynx": {"x": "y"}}
    write_segmentation(tmp_path / "a.seg.nrrd", [mask], TINY, {"TwoStageSeg.Status": "located"}, organ_tags)
    tags = next(line for line in parts(tmp_path / "a.seg.nrrd")[0] if line.startswith("Segment0_Tags"))
    assert tags.endswith("|TwoStageSeg.Status:low/confi dence|")
    assert "x:y" not in tags
    for name in ("a:b", "a|b", ""):
        with pytest.raises(ValueError, match="tag"):
            write_segmentation(tmp_path / "b.seg.nrrd", [mask], TINY, {name: "value"})
    assert not (tmp_path / "b.seg.nrrd").exists()


def test_what_does_not_belong_together_is_not_written(tmp_path: Path) -> None:
    mask = Mask("Brainstem", np.ones((1, 1, 1), bool), (0, 0, 0), TINY)
    for masks in (
        [mask, mask],
        [Mask("Brainstem", mask.voxels, (0, 0, 0), GRIDS["axial"])],
        [Mask("Brainstem", mask.voxels, (2, 0, 0), TINY)],
        [Mask("Brainstem", mask.voxels, (-1, 0, 0), TINY)],
    ):
        with pytest.raises(ValueError, match="Brainstem"):
            write_segmentation(tmp_path / "a.seg.nrrd", masks, TINY)
    with pytest.raises(InputRefused) as caught:
        write_segmentation(tmp_path / "missing" / "a.seg.nrrd", [mask], TINY)
    assert caught.value.code == "E_OUTPUT"
    assert list(tmp_path.iterdir()) == []


def test_masks_are_moved_onto_a_grid_that_is_shifted_by_whole_voxels(tmp_path: Path) -> None:
    geometry = GRIDS["oblique"]
    masks = organs(geometry)
    write_segmentation(tmp_path / "a.seg.nrrd", masks, geometry)
    # the image begins 2 slices, 3 rows, 4 columns later and ends within: what lies before it is cut off
    x, y, z = geometry.index_to_lps((2, 3, 4))
    image = replace(geometry, shape_zyx=(6, 7, 8), origin_lps=(x, y, z))
    for mask, moved in zip(masks, read_segmentation(tmp_path / "a.seg.nrrd", onto=image), strict=True):
        assert np.array_equal(moved.full(), mask.full()[2:8, 3:10, 4:12])
    between = replace(geometry, origin_lps=tuple(geometry.index_to_lps((0.5, 0, 0))))
    for other in (between, GRIDS["axial"], replace(geometry, spacing_xyz_mm=(0.9, 1.1, 2.4))):
        with pytest.raises(InputRefused) as caught:
            read_segmentation(tmp_path / "a.seg.nrrd", onto=other)
        assert caught.value.code == "E_GRID"
