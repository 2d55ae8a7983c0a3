"""A program that is killed while it adds a model: nothing half installed, the old model not lost, no corner left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="locks and signals of POSIX")
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.bundles import write_fake_bundle
from TwoStageSegLib.session import installed_models
from TwoStageSegLib.session.models import Staged

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, pathlib, shutil, signal, sys
from TwoStageSegLib.session.models import Staged
source, at = pathlib.Path(sys.argv[1]), int(sys.argv[2])
count = 0
def counted(real):
    def wrapped(*arguments, **named):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        return result
    return wrapped
shutil.copyfile = counted(shutil.copyfile)
pathlib.Path.rename = counted(pathlib.Path.rename)
shutil.rmtree = counted(shutil.rmtree)
Staged(source).install()
print("installed", count)
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def add(source: Path, at: int) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", PROGRAM, str(source), str(at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.slow
def test_killed_at_every_step_of_replacing_a_model(own, tmp_path):
    """Copies, renames, removals. Afterwards the old model or the new one is there, whole, and nothing else."""
    new = write_fake_bundle(tmp_path / "download", "mine")
    (new / "manifest.json").write_text((new / "manifest.json").read_text().replace('"0.0.1"', '"2.0.0"'))
    seen = set()
    for at in range(1, 20):
        old = own / "mine"
        if not old.is_dir():
            write_fake_bundle(old, "mine")
        (old / "manifest.json").write_text((old / "manifest.json").read_text().replace('"2.0.0"', '"0.0.1"'))
        before = contents(old)
        done = add(new, at)
        entries = [e for e in installed_models() if e.folder.parent == own]  # tidies up, as the panel does at its start
        assert [e.name for e in entries] == ["mine"] and entries[0].model is not None
        assert contents(old) in (before, contents(new))
        left = [p for p in own.iterdir() if p != old]  # a corner that had no name yet is empty, and goes within the day
        assert all(p.name.startswith(".new") and list(p.iterdir()) == [] for p in left)
        seen.add(entries[0].model.manifest.version)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.startswith("installed") and seen == {"0.0.1", "2.0.0"}


def test_a_model_that_another_program_is_adding_is_let_alone(own, tmp_path):
    staged = Staged(write_fake_bundle(tmp_path / "download", "mine"))
    (corner,) = own.iterdir()
    code = "from TwoStageSegLib.session import installed_models; installed_models()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=dict(os.environ))
    assert list(own.iterdir()) == [corner] and staged.model.folder.is_dir()
    assert staged.install() == own / "mine" and [p.name for p in own.iterdir()] == ["mine"]
