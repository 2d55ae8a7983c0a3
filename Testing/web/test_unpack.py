"""A zip of a DICOM series, as a person sends it, becomes the scan that its folder is; then nothing of it is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="pydicom is not installed")

from Testing.harness.dicom import phantom, stack, write
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.web.unpack import read_upload


@pytest.fixture
def series(tmp_path):
    """A folder with one series, in a shuffled order of names."""
    (tmp_path / "patient").mkdir()
    return write(tmp_path / "patient" / "series", stack(phantom())[::-1])


def received(folder, tmp_path):
    """The folder above as the front puts it down."""
    place = tmp_path / "in" / "1"
    place.mkdir(parents=True)
    return Path(shutil.make_archive(str(place / "upload"), "zip", folder))


def test_a_zipped_series_is_read_as_its_folder_is(series, tmp_path):
    file = received(series.parent, tmp_path)
    volume, wanted = read_upload(file), read_volume(series)
    assert np.array_equal(volume.voxels, wanted.voxels) and volume.geometry == wanted.geometry
    assert volume.modality == "CT" and list((tmp_path / "in").iterdir()) == []


def test_a_series_with_a_gap_is_refused_as_from_a_folder(series, tmp_path):
    sorted(series.iterdir())[2].unlink()
    with pytest.raises(InputRefused):
        read_upload(received(series, tmp_path))
    assert list((tmp_path / "in").iterdir()) == []
