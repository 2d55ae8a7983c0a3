"""The panel with trained networks on a real CT: the same voxels as the command line; one organ redone is quick."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.conftest import ROOT
from Testing.harness.module import node_ids

pytestmark = pytest.mark.slow


@pytest.fixture
def bundle(tiny_bundle: Path) -> str:
    """The head and neck model if it is shipped, else the synthetic one."""
    return "hn-oar-ct" if (tiny_bundle.parent / "hn-oar-ct" / "manifest.json").is_file() else tiny_bundle.name


@pytest.fixture
def scan(data_dir: Path) -> Path:
    file = data_dir / "quick" / "openkbp" / "test_pt_286_ct.nrrd"
    if not file.is_file():
        pytest.skip("quick/openkbp is not in the data folder")
    return file


@pytest.fixture
def opened(
    slicer_host: Any, scratch: Path, tmp_path: Path, monkeypatch: Any, mini: Any, scan: Path, bundle: str
) -> Any:
    """The panel as a user has it: real worker, real question what is installed; scan and model chosen."""
    from Testing.harness.panel import open_panel

    monkeypatch.setenv("HOME", str(tmp_path))
    panel = open_panel(slicer_host)
    panel.until(lambda: panel.widget.panel.install.ready, 120, "torch is found")
    panel.choose(mini.logics["Volumes"].AddArchetypeVolume(str(scan), "CT"))
    index = [e.name for e in panel.widget.panel.models._entries].index(bundle)
    panel.ui.modelSelector.setCurrentIndex(index)
    panel.ui.modelSelector.activated.emit(index)
    assert panel.problems() == ""
    yield panel
    panel.close()


def test_the_button_and_the_command_line_bring_the_same_voxels(
    opened: Any, mini: Any, scan: Path, bundle: str, tmp_path: Path
) -> None:
    started = time.perf_counter()
    opened.run(280)
    first_s = time.perf_counter() - started
    assert opened.problems() == ""
    out = tmp_path / "out.seg.nrrd"
    command = [sys.executable, "-m", "TwoStageSegLib.cli", "segment", str(scan), "-o", str(out), "--model", bundle]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), done.stderr
    mine, organs = opened.session.target, opened.segments()
    expected = mini.load_segmentation(out)
    found = [n for n in expected.GetSegmentation().GetSegmentIDs()]
    names = {expected.GetSegmentation().GetSegment(i).GetName(): i for i in found}
    assert organs and set(organs) <= set(names)
    before = {organ: opened.voxels(organ) for organ in organs}
    opened.session._target_node = expected
    for organ in names:
        there = opened.voxels(names[organ])
        assert np.array_equal(there, before[organ]) if organ in before else not there.any()
    opened.session._target_node = mine
    _one_box_is_quick(opened, organs[0], before, first_s)


def _one_box_is_quick(opened: Any, organ: str, before: dict[str, np.ndarray], first_s: float) -> None:
    nodes = node_ids(opened.scene)
    r, a, s = opened.box(organ).GetCenter()
    started = time.perf_counter()
    opened.box(organ).SetCenter(r + 6, a, s)
    opened.until(lambda: opened.session.busy, 10)
    opened.finish(120)
    seconds = time.perf_counter() - started
    assert opened.status(organ).startswith("your box")
    for other in before:
        if other != organ:
            assert np.array_equal(opened.voxels(other), before[other])
    assert node_ids(opened.scene) == nodes
    assert seconds < first_s / 3, f"{seconds:.2f} s of {first_s:.2f} s"


def test_thirty_runs_do_not_grow(ready: Any, mini: Any) -> None:
    for _ in range(6):
        ready.run()
    before, nodes = _resident_mb(), node_ids(mini.scene)
    for _ in range(30):
        ready.run()
    assert node_ids(mini.scene) == nodes
    assert _resident_mb() - before < 15


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6
