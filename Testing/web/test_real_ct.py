"""A real CT with the shipped model, in a real browser: the same voxels as the command line's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from Testing.harness import browser as harness
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.outputs.segread import read_segmentation
from TwoStageSegLib.resources import resource_path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MODEL = "hn-oar-ct"


@pytest.fixture
def scan(data_dir):
    file = data_dir / "quick" / "openkbp" / "test_pt_286_ct.nrrd"
    if not file.is_file() or not (resource_path("models") / MODEL / "manifest.json").is_file():
        pytest.skip("quick/openkbp is not in the data folder, or the model is not installed")
    return file


def test_the_whole_flow_gives_what_the_command_line_gives(chromium, scan, tmp_path):
    with harness.serving(tmp_path, str(scan), "--model", MODEL, "--device", "cpu") as (address, _):
        person = harness.Person(chromium, address)
        person.has_scan()
        person.run()
        person.page.wait_for_selector("#save:not([disabled])")
        page_file = person.download("#save", tmp_path / "page.seg.nrrd")
        assert person.errors == [] and person.foreign == []
        person.close()
    line_file = tmp_path / "line.seg.nrrd"
    command = [sys.executable, "-m", "TwoStageSegLib.cli", "segment", str(scan), "-o", str(line_file)]
    subprocess.run([*command, "--model", MODEL, "--device", "cpu"], cwd=harness.ROOT, check=False)
    geometry = read_volume(scan).geometry
    page, line = ({m.organ: m.full() for m in read_segmentation(f, geometry)} for f in (page_file, line_file))
    assert set(page) == set(line) and len(page) >= 5
    assert [organ for organ in page if not np.array_equal(page[organ], line[organ])] == []
