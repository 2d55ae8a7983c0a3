"""RTSTRUCT to masks: holes, gaps, planes off the slices, foreign frames; the real case against its reference mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from Testing.harness.dicom import structure_set
from training.data.rtstruct import rasterise, read_structure_set
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.io import read_volume

GRID = Geometry((8, 10, 12), (-10.0, -20.0, 100.0), (1.5, 2.0, 3.0))


def loop(z: float, y0: float, y1: float, x0: float, x1: float, grid: Geometry = GRID) -> NDArray[np.float64]:
    """A rectangle on slice ``z`` (fractional indices) as LPS points."""
    return grid.index_to_lps(np.array([[z, y0, x0], [z, y0, x1], [z, y1, x1], [z, y1, x0]], float))


def closed(*loops: NDArray) -> list[tuple[str, NDArray]]:
    return [("CLOSED_PLANAR", points) for points in loops]


def write_rtstruct(path: Path, rois: dict[str, list[tuple[str, NDArray]]], frame: str, series: str = "") -> Path:
    """A structure set of these contours; written as planning systems do, text numbers included."""
    ds = structure_set()
    ds.StructureSetROISequence, ds.ROIContourSequence = Sequence(), Sequence()
    for number, (name, contours) in enumerate(rois.items(), 1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        drawn.ReferencedROINumber, drawn.ContourSequence = number, Sequence()
        for kind, points in contours:
            item = Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = kind, len(points)
            item.ContourData = [f"{v:.3f}" for v in np.ravel(points)]
            drawn.ContourSequence.append(item)
        ds.StructureSetROISequence.append(roi)
        ds.ROIContourSequence.append(drawn)
    if series:
        one, study, of_frame = Dataset(), Dataset(), Dataset()
        one.SeriesInstanceUID, study.ReferencedSOPInstanceUID = series, "1.2.3.1"
        study.RTReferencedSeriesSequence, of_frame.FrameOfReferenceUID = Sequence([one]), frame
        of_frame.RTReferencedStudySequence = Sequence([study])
        ds.ReferencedFrameOfReferenceSequence = Sequence([of_frame])
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def test_a_box_with_a_hole() -> None:
    """6 x 5 voxels less 2 x 1 on two slices, at index z 2 and 3."""
    loops = [part for z in (2, 3) for part in (loop(z, 1.5, 7.5, 2.5, 7.5), loop(z, 3.5, 5.5, 4.5, 5.5))]
    mask, odd = rasterise("Ring", closed(*loops), GRID)
    assert (mask.start_zyx, mask.voxels.shape, int(mask.voxels.sum()), odd) == ((2, 2, 3), (2, 6, 5), 2 * 28, [])


def test_two_parts_with_a_gap_are_kept_and_said() -> None:
    loops = [loop(z, 1.5, 4.5, 1.5, 4.5) for z in (0, 1, 2, 5, 6)]
    mask, odd = rasterise("Lesions", closed(*loops), GRID)
    assert mask.full().any((1, 2)).tolist() == [True, True, True, False, False, True, True, False]
    assert odd == ["Lesions: 2 of 7 slices between its first and last have no contour; left empty"]


@pytest.mark.parametrize(
    ("contours", "what"),
    [
        (closed(*(loop(z, 1, 5, 1, 5) for z in (0, 2, 4, 6))), "drawn on 4 of 7 slices only"),
        (closed(loop(2.3, 1, 5, 1, 5)), r"between slices \(0.90 mm off\)"),
        (closed(GRID.index_to_lps(np.array([[2.0, 1, 1], [2, 5, 1], [3, 5, 5]]))), "across slices"),
        (closed(loop(40, 1, 5, 1, 5)), "no contour inside the scan"),
        ([("POINT", loop(2, 1, 5, 1, 5)[:1])], "kind 'POINT', which enclose nothing"),
        ([("OPEN_PLANAR", loop(2, 1, 5, 1, 5))], "'OPEN_PLANAR'"),
        (closed(np.full((4, 3), np.nan)), "not a number"),
        ([], "no contour"),
    ],
)
def test_what_cannot_be_placed_is_refused(contours: list, what: str) -> None:
    with pytest.raises(InputRefused, match=what) as caught:
        rasterise("Cord", contours, GRID)
    assert caught.value.code == "E_CONTOUR" and str(caught.value).startswith("Cord ")


def test_an_oblique_grid_in_reverse() -> None:
    turn = np.deg2rad(20)
    grid = Geometry(
        (6, 12, 12), (5.0, 6.0, 7.0), (1.0, 2.0, 3.0),
        ((np.cos(turn), -np.sin(turn), 0.0), (np.sin(turn), np.cos(turn), 0.0), (0.0, 0.0, -1.0)),
    )  # fmt: skip
    mask, _ = rasterise("Organ", closed(loop(2, 1.5, 7.5, 2.5, 6.5, grid), loop(3, 1.5, 7.5, 2.5, 6.5, grid)), grid)
    assert (mask.start_zyx, int(mask.voxels.sum())) == ((2, 2, 3), 2 * 6 * 4)


def test_names_frames_and_series_are_read(tmp_path: Path) -> None:
    rois = {"Heart": closed(loop(2, 1, 5, 1, 5)), "Empty": []}
    found = read_structure_set(write_rtstruct(tmp_path / "rs.dcm", rois, "1.2.9", "1.2.3.2"))
    assert (found.frame_of_reference, found.series, list(found.contours)) == ("1.2.9", "1.2.3.2", ["Heart", "Empty"])
    kind, points = found.contours["Heart"][0]
    assert kind == "CLOSED_PLANAR" and points.shape == (4, 3) and found.contours["Empty"] == []


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    whole = write_rtstruct(tmp_path / "rs.dcm", {"Heart": closed(loop(2, 1, 5, 1, 5))}, "1.2.9").read_bytes()
    for name, content in (("cut.dcm", whole[:-40]), ("text.dcm", b"contours"), ("empty.dcm", b"\0" * 128 + b"DICM")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputRefused, match="RTSTRUCT") as caught:
            read_structure_set(tmp_path / name)
        assert caught.value.code == "E_RTSTRUCT" and "ZZCANARY" not in str(caught.value)


def test_the_real_case_is_its_reference_mask(data_dir: Path) -> None:
    """IBSI's STS_019: 15 contours of a GTV; the mask beside them was made by others. Dice 1."""
    folder = data_dir / "quick" / "dcm_rtstruct_sts019"
    volume = read_volume(folder)
    found = read_structure_set(folder / "RS.dcm")
    mask, odd = rasterise("GTV", found.contours["GTV_Mass_CT"], volume.geometry)
    reference = read_volume(folder / "CT_mask.nii.gz")
    flips = np.round(reference.geometry.lps_to_index(volume.geometry.index_to_lps([0, 0, 0]))).astype(int)
    theirs = reference.voxels[tuple(slice(None, None, -1 if f else 1) for f in flips)] > 0
    assert theirs.shape == volume.voxels.shape and odd == []
    ours = mask.full()
    assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) == 1.0
    assert mask.volume_ml == pytest.approx(17.3514, abs=1e-3)
