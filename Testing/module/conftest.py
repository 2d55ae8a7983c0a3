"""The panel, opened in the harness, with the real worker process around the fake system."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.conftest import ROOT
from Testing.harness.fake_system import fake_volume
from Testing.harness.workers import FAKE

FILE = ROOT / "TwoStageSeg" / "TwoStageSeg.py"


@pytest.fixture
def home(tmp_path: Path, fake_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home of this test's own, with the fake model installed as the only one."""
    folder = tmp_path / "home"
    (folder / "models").mkdir(parents=True)
    shutil.copytree(fake_bundle, folder / "models" / "fake")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(folder / "models"))
    monkeypatch.setattr("TwoStageSegLib.model.resource_path", lambda *_: folder / "none")
    return folder


@pytest.fixture
def panel(slicer_host: Any, home: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The open panel; afterwards it is closed and neither process nor file may be left."""
    from Testing.harness.panel import open_panel

    if not FILE.is_file():
        pytest.skip("the Slicer module is not here")
    opened = open_panel(slicer_host, worker=FAKE, probe=False)
    yield opened
    opened.close()


@pytest.fixture
def ready(panel: Any, mini: Any) -> Any:
    """The panel with a scan of three blocks chosen: the button can be pressed."""
    from TwoStageSegLib.scene import node_from_volume

    panel.choose(node_from_volume(mini.scene, fake_volume(), "CT"))
    return panel
