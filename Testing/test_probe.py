"""Finding out in a child process whether the worker's libraries can be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from TwoStageSegLib.probe import Findings, read

ROOT = Path(__file__).resolve().parent.parent


def probe(folder: Path) -> Findings:
    """The probe with ``folder`` before everything else on the path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, "-m", "TwoStageSegLib.probe"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found = read(done.stdout)
    assert found is not None
    return found


def test_everything_is_here_and_the_device_is_named(tmp_path):
    found = probe(tmp_path)
    assert found.usable and found.device.startswith(("CPU", "GPU"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise OSError('libcudart.so: cannot open shared object file')", "OSError: libcudart.so: cannot open"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    ],
)
def test_a_broken_torch_is_told_with_its_reason(tmp_path, source, reason):
    (tmp_path / "torch.py").write_text(source)
    found = probe(tmp_path)
    assert not found.usable and found.missing == [] and found.broken["torch"].startswith(reason)


def test_what_is_not_installed_is_missing(monkeypatch):
    from TwoStageSegLib import probe as module

    monkeypatch.setattr(module, "NEEDED", ("json", "no_such_library"))
    assert module.probe() == Findings(missing=["no_such_library"])


def test_a_child_that_crashed_has_said_nothing():
    assert read("Segmentation fault\n") is None and read("") is None and read("{}") is None
    good = 'a greeting\n{"missing": ["torch"], "broken": {}, "device": ""}\n'
    assert read(good) == Findings(missing=["torch"])
