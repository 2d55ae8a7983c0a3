"""DICOM of clinics and TCIA: a folder per patient with CT and RTSTRUCT, made here in the layout of LCTSC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from Testing.harness.dicom import CANARY, ct_slice, stack, write
from Testing.training.data.conftest import ct
from Testing.training.data.test_rtstruct import closed, write_rtstruct
from training.data.dicom import cases
from training.data.published import Published, published
from TwoStageSegLib.errors import InputRefused, UsageError
from TwoStageSegLib.io import read_volume

LCTSC = published()["lctsc"]
FRAME, SERIES = "1.2.3.3", "1.2.3.2"  # those of the harness's slices


def patient(folder: Path, rois: dict[str, tuple[int, int]], frame: str = FRAME, series: str = SERIES) -> Path:
    """``STUDY/SERIES/*.dcm`` and ``STUDY/STRUCT/1-1.dcm``; every ROI is a 4 x 6 box on slices ``first .. last``."""
    images = write_ct(folder / "01-01-2004-1" / "0-1")
    grid = read_volume(images).geometry
    contours = {}
    for name, (first, last) in rois.items():
        corners = np.array([[7.5, 9.5], [7.5, 15.5], [11.5, 15.5], [11.5, 9.5]])
        loops = [grid.index_to_lps(np.c_[np.full(4, z), corners]) for z in range(first, last + 1)]
        contours[name] = closed(*loops)
    write_rtstruct(folder / "01-01-2004-1" / "1-2" / "1-1.dcm", contours, frame, series)
    return folder


def write_ct(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return write(folder, stack(np.repeat(np.repeat(ct(), 2, 1), 2, 2)))


def test_lctsc(tmp_path: Path) -> None:
    """One patient lacks the heart: it is unknown there. A ROI that the challenge did not ask for is left alone."""
    patient(tmp_path / "LCTSC-Train-S1-001", {"Esophagus": (2, 5), "Heart": (4, 6), "Couch": (0, 1)})
    patient(tmp_path / "LCTSC-Test-S1-101", {"Esophagus": (3, 4)})
    found = {c.name: c.read() for c in cases(tmp_path, LCTSC)}
    organs = {name: {m.organ: int(m.voxels.sum()) for m in read.masks} for name, read in found.items()}
    assert organs == {
        "LCTSC-Test-S1-101": {"Esophagus": 2 * 24},
        "LCTSC-Train-S1-001": {"Esophagus": 4 * 24, "Heart": 3 * 24},
    }
    assert [LCTSC.is_test(name) for name in organs] == [True, False]
    volume = found["LCTSC-Train-S1-001"].volume
    assert volume.modality == "CT" and volume.voxels.min() == -1000
    assert not any(CANARY in notice for read in found.values() for notice in read.notices)


def test_ones_own_folder_keeps_every_roi_by_its_tg263_name(tmp_path: Path) -> None:
    patient(tmp_path / "p1", {"spinal cord": (2, 5), "my ROI": (2, 3)})
    (one,) = cases(tmp_path, Published("own", "", "dicom"))
    assert one.name == "p1" and [m.organ for m in one.read().masks] == ["SpinalCord", "my_ROI"]


def test_one_patient_whose_files_lie_in_one_folder(tmp_path: Path) -> None:
    folder = write_ct(tmp_path / "p7")
    grid = read_volume(folder).geometry
    box = np.array([[7.5, 9.5], [7.5, 15.5], [11.5, 15.5], [11.5, 9.5]])
    loops = [grid.index_to_lps(np.c_[np.full(4, z), box]) for z in (2, 3)]
    write_rtstruct(folder / "rs.dcm", {"Heart": closed(*loops)}, FRAME)
    (one,) = cases(folder, LCTSC)
    assert one.name == "p7" and [int(m.voxels.sum()) for m in one.read().masks] == [48]


def test_a_roi_that_cannot_be_placed_is_unknown_and_said(tmp_path: Path) -> None:
    folder = patient(tmp_path / "p", {"Heart": (2, 5)})
    path = next(folder.rglob("1-1.dcm"))
    grid = read_volume(next(folder.rglob("0-1"))).geometry
    corners = np.array([[7.5, 9.5], [7.5, 15.5], [11.5, 15.5]])
    off = grid.index_to_lps(np.c_[np.full(3, 2.5), corners])
    good = [grid.index_to_lps(np.c_[np.full(3, z), corners]) for z in (2.0, 3.0)]
    write_rtstruct(path, {"Heart": closed(off), "Esophagus": closed(*good)}, FRAME, SERIES)
    read = next(iter(cases(tmp_path, LCTSC))).read()
    assert [m.organ for m in read.masks] == ["Esophagus"]
    assert any(
        "Heart has a contour that lies between slices" in n and "unknown in this case" in n for n in read.notices
    )


def test_the_series_that_is_named_is_taken(tmp_path: Path) -> None:
    folder = patient(tmp_path / "p", {"Heart": (2, 5)})
    other = tmp_path / "p" / "other"
    other.mkdir()
    write(other, [ct_slice(s, (0, 0, 3.0 * k), series="9.9") for k, s in enumerate(ct())])
    assert [m.organ for m in next(iter(cases(tmp_path, LCTSC))).read().masks] == ["Heart"]
    path = next(folder.rglob("1-1.dcm"))
    write_rtstruct(path, {"Heart": []}, FRAME, "")  # names none: two series in its frame of reference
    with pytest.raises(InputRefused, match="fit 2 series") as caught:
        next(iter(cases(tmp_path, LCTSC))).read()
    assert caught.value.code == "E_MIXED_SERIES"


def test_what_leaves_a_doubt_is_refused(tmp_path: Path) -> None:
    foreign = patient(tmp_path / "a", {"Heart": (2, 5)}, frame="9.9.9")
    with pytest.raises(InputRefused, match="another frame of reference"):
        next(iter(cases(tmp_path, LCTSC))).read()
    path = next(foreign.rglob("1-1.dcm"))
    (path.parent / "second.dcm").write_bytes(path.read_bytes())
    with pytest.raises(InputRefused, match="holds 2 RTSTRUCT"):
        next(iter(cases(tmp_path, LCTSC))).read()


def test_a_folder_without_dicom(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("nothing here")
    with pytest.raises(UsageError, match="no folders with DICOM files"):
        list(cases(tmp_path, LCTSC))
