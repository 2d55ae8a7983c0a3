"""Files from elsewhere, and broken ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.outputs.segread import read_segmentation

SPACE = ["space: left-posterior-superior", "space origin: (10,20,30)"]
AXES = "(1,0,0) (0,1,0) (0,0,2)"


def write(path: Path, lines: list[str], body: bytes) -> Path:
    path.write_bytes("\n".join(["NRRD0005", "# made elsewhere", *lines, "", ""]).encode() + body)
    return path


def test_raw_big_endian_16_bit_with_the_list_axis_last(tmp_path: Path) -> None:
    voxels = np.zeros((2, 1, 2, 3), ">u2")  # layer, z, y, x
    voxels[0, 0, 1, 2] = 300
    voxels[1, 0, 1] = 7
    header = [
        "type: ushort", "dimension: 4", "endian: big", "encoding: raw", "sizes: 3 2 1 2", *SPACE,
        f"space directions: {AXES} none", "Segment0_ID:=s", "Segment0_Name:=Parotid\\\\L", "Segment0_LabelValue:=7",
        "Segment0_Layer:=1", "Segment1_ID:=t", "Segment1_LabelValue:=300", "Segment1_Layer:=0",
    ]  # fmt: skip
    first, second = read_segmentation(write(tmp_path / "a.seg.nrrd", header, voxels.tobytes()))
    assert (first.organ, second.organ) == ("Parotid\\L", "t")
    assert first.start_zyx == (0, 1, 0)
    assert first.voxels.shape == (1, 1, 3)
    assert second.start_zyx == (0, 1, 2)
    assert second.geometry.shape_zyx == (1, 2, 3)
    assert second.geometry.origin_lps == (10, 20, 30)
    assert second.geometry.spacing_xyz_mm == (1, 1, 2)


def test_ras_is_turned_into_lps(tmp_path: Path) -> None:
    header = [
        "type: uint8", "dimension: 3", "encoding: raw", "sizes: 2 1 1", "space: RAS", "space origin: (10,20,30)",
        f"space directions: {AXES}",
    ]  # fmt: skip
    (mask,) = read_segmentation(write(tmp_path / "a.nrrd", header, bytes([0, 1])))
    assert mask.organ == "Segment_1"  # no segment is named: labels become segments, as in Slicer
    assert np.allclose(mask.geometry.index_to_lps(mask.start_zyx), (-11, -20, 30))


def test_old_files_have_one_segment_per_component(tmp_path: Path) -> None:
    header = [
        "type: uint8", "dimension: 4", "encoding: raw", "sizes: 2 2 1 1", *SPACE, f"space directions: none {AXES}",
        "Segment0_ID:=a", "Segment1_ID:=b",
    ]  # fmt: skip
    first, second = read_segmentation(write(tmp_path / "a.seg.nrrd", header, bytes([1, 0, 1, 1])))
    assert first.voxels.shape == (1, 1, 2)
    assert second.start_zyx == (0, 0, 1)


GOOD = ["type: uint8", "dimension: 3", "encoding: gzip", "sizes: 2 2 2", *SPACE, f"space directions: {AXES}"]
PACKED = gzip.compress(bytes(8), mtime=0)


@pytest.mark.parametrize(
    ("lines", "body", "reason"),
    [
        (GOOD, PACKED[:-12], "cut short"),
        (GOOD, b"no gzip at all", "damaged"),
        (GOOD, gzip.compress(bytes(7), mtime=0), "7 of 8 bytes"),
        ([s.replace("gzip", "raw") for s in GOOD], bytes(3), "3 of 8 bytes"),
        ([s.replace("gzip", "bzip2") for s in GOOD], b"", "bzip2"),
        ([s.replace("uint8", "block") for s in GOOD], b"", "block"),
        ([s.replace("uint8", "float") for s in GOOD], gzip.compress(bytes(32), mtime=0), "fractions"),
        ([s.replace("2 2 2", "2 2 2 2") for s in GOOD], gzip.compress(bytes(16), mtime=0), "axes"),
        ([s.replace("2 2 2", "2 2 0") for s in GOOD], PACKED, "sizes"),
        ([s.replace("2 2 2", "2 two 2") for s in GOOD], PACKED, "sizes"),
        ([s for s in GOOD if not s.startswith("space:")], PACKED, "where the voxels are"),
        ([s.replace("(0,0,2)", "(0,0,0)") for s in GOOD], PACKED, "no size"),
        ([*GOOD, "data file: other.raw"], PACKED, "another file"),
        ([*GOOD, "Segmentation_Extent:=0 1 0 1 0 1"], PACKED, "old kind"),
        ([*GOOD, "Segment0_ID:=a", "Segment0_Layer:=3"], PACKED, "layer"),
        ([*GOOD, "Segment0_ID:=a", "Segment0_Layer:=x"], PACKED, "layer"),
    ],
)
def test_damaged_and_foreign_files_are_refused_with_the_reason(
    tmp_path: Path, lines: list[str], body: bytes, reason: str
) -> None:
    with pytest.raises(InputRefused, match=reason) as caught:
        read_segmentation(write(tmp_path / "a.seg.nrrd", lines, body))
    assert caught.value.code == "E_SEG"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"not a nrrd", b"NRRD0004\ntype: uint8\n", b"NRRD0004\n" + b"#\n" * 2_100_000]
)
def test_what_is_no_nrrd_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(content)
    with pytest.raises(InputRefused) as caught:
        read_segmentation(path)
    assert caught.value.code == "E_SEG"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.seg.nrrd", tmp_path):
        with pytest.raises(InputRefused) as caught:
            read_segmentation(path)
        assert caught.value.code == "E_FILE"
