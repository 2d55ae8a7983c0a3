"""More bad files: named changes to real and synthetic ones, and random ones with a fixed seed."""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.io.files import check_files

from . import mutations_dicom, mutations_text  # noqa: F401 - they fill the table
from .mutations import EITHER, SAME, TABLE
from .oracles import Reading, dicom, itk, ours
from .scans import OBLIQUE, scan

ROWS = [(kind, name, outcomes, change) for kind, rows in TABLE.items() for name, outcomes, change in rows]
RANDOM = {"nii": 300, "nrrd": 300, "mha": 300, "dicom": 60}


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory) -> dict[str, Path]:
    """A good file of every kind, made here."""
    folder = tmp_path_factory.mktemp("synthetic")
    made = {
        kind: scan().but(direction=OBLIQUE).save(folder / f"ct.{kind}") for kind in ("nii", "nii.gz", "nrrd", "mha")
    }
    short = scan().but(voxels=scan().voxels[:8])
    return made | {"dicom": with_locations(short.series(folder / "ct"))}


@pytest.fixture(scope="module")
def real(data_dir, tmp_path_factory) -> dict[str, Path]:
    """A good file of every kind, of patients."""
    folder, quick = tmp_path_factory.mktemp("real"), data_dir / "quick"
    head = sorted((quick / "openkbp").glob("*_ct.nrrd"))[0]
    body = SimpleITK.ReadImage(str(quick / "totalsegmentator" / "example_ct_sm.nii.gz"))
    SimpleITK.WriteImage(body, str(folder / "ct.nii"))
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(head)), str(folder / "ct.mha"))
    (folder / "ct").mkdir()
    slices = [p for p in sorted((quick / "dcm_rtstruct_sts019").glob("*.dcm")) if "PixelData" in pydicom.dcmread(p)]
    slices.sort(key=lambda p: pydicom.dcmread(p, stop_before_pixels=True).ImagePositionPatient[2])
    for path in slices[:8]:
        shutil.copyfile(path, folder / "ct" / path.name)
    return {
        "nii": folder / "ct.nii",
        "nii.gz": Path(shutil.copyfile(quick / "totalsegmentator" / "example_ct_sm.nii.gz", folder / "ct.nii.gz")),
        "nrrd": Path(shutil.copyfile(head, folder / "ct.nrrd")),
        "mha": folder / "ct.mha",
        "dicom": with_locations(folder / "ct"),
    }


def with_locations(folder: Path) -> Path:
    """Every slice says where it lies along the table, so that a change can name one."""
    for number, path in enumerate(sorted(folder.iterdir())):
        ds = pydicom.dcmread(path)
        ds.SliceLocation = float(ds.ImagePositionPatient[2])
        ds.save_as(folder / f"{number:06d}.dcm")
        if path.name != f"{number:06d}.dcm":
            path.unlink()
    return folder


def looked_at(path: Path) -> str:
    """The verdict on the files behind a scan in the scene, "" if they pass."""
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    try:
        check_files(files)
    except InputRefused as error:
        return error.code
    return ""


def copied(base: Path, folder: Path) -> Path:
    target = folder / base.name
    return Path(shutil.copytree(base, target) if base.is_dir() else shutil.copyfile(base, target))


@pytest.mark.parametrize("source", ["synthetic", "real"])
@pytest.mark.parametrize("kind", TABLE)
def test_named_changes(source, kind, tmp_path, request):
    base: Path = request.getfixturevalue(source)[kind]
    truth = ours(base)
    assert isinstance(truth, Reading)
    wrong = []
    for number, (name, outcomes, change) in enumerate(TABLE[kind]):
        (tmp_path / str(number)).mkdir()
        path = copied(base, tmp_path / str(number))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            change(path)
            found = ours(path)
        if isinstance(found, Reading):
            right = found.equals(truth) and bool({SAME, EITHER} & set(outcomes))
        else:
            right = found in outcomes or EITHER in outcomes
        looked, read = looked_at(path), found if isinstance(found, str) else ""
        undecoded = kind == "dicom" and read in ("E_READ", "E_CODEC")  # there Slicer has decoded the pixels
        if bool(looked) != bool(read) and not undecoded:  # what the session asks about the files behind a scan
            wrong.append(f"{name}: {looked or 'passed'} as the files behind a scan, {read or 'taken'} when read")
        if not right:
            wrong.append(f"{name}: {found if isinstance(found, str) else 'read'}, not {outcomes}")
        shutil.rmtree(tmp_path / str(number))
    assert wrong == []


def test_there_are_enough_of_them():
    assert len(ROWS) >= 140 and len({(kind, name) for kind, name, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize("kind", ["nii", "nrrd", "mha"])
def test_random_changes_of_a_header(kind, synthetic, tmp_path):
    base, rng = synthetic[kind], np.random.default_rng(20261120)
    data = base.read_bytes()
    assert_no_third_thing(kind, base, data, 0, len(data) - scan().voxels.nbytes, tmp_path / base.name, rng)


def test_random_changes_of_one_slice(synthetic, tmp_path):
    folder = copied(synthetic["dicom"], tmp_path)
    path = folder / "000003.dcm"
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_no_third_thing("dicom", folder, data, 128, len(data) - 28 * 24 * 2, path, np.random.default_rng(7))


def assert_no_third_thing(kind: str, base: Path, data: bytes, first: int, end: int, path: Path, rng) -> None:
    """One to three bytes changed: refused, the same, or what another library reads in the same bytes."""
    truth, outcomes = ours(base), Counter[str]()
    assert isinstance(truth, Reading)
    read = base if kind == "dicom" else path
    for _ in range(RANDOM[kind]):
        changed = bytearray(data)
        for place in rng.integers(first, end, int(rng.integers(1, 4))):
            changed[place] = (
                int(rng.integers(256)) if rng.random() < 0.6 else changed[place] ^ 1 << int(rng.integers(8))
            )
        path.write_bytes(changed)
        found = ours(read)
        if isinstance(found, str):
            outcomes["refused"] += 1
        elif found.equals(truth):
            outcomes["same"] += 1
        else:
            assert found.equals(dicom(read) if kind == "dicom" else itk(read)), bytes(changed[first:end])
            outcomes["valid, says something else"] += 1
    assert outcomes["refused"] > RANDOM[kind] / 5 and outcomes["same"] > RANDOM[kind] / 20, outcomes
