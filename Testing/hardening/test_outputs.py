"""What is written appears whole or not at all: full and read-only disks, two runs to one place, killed runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("resource", reason="limits and signals of POSIX")

from Testing.harness.fake_system import FakeSystem, fake_volume
from Testing.harness.interrupts import hear_interrupts
from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.handover import put_organ, put_volume
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.segnrrd import read_segmentation
from TwoStageSegLib.pipeline import OrganResult
from TwoStageSegLib.region import Region
from TwoStageSegLib.volume import Volume

from .disks import file_size_limit, make_read_only, small_disk
from .scans import scan

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ("-o", "o.seg.nrrd", "--json", "o.json", "--report", "o.html")


@pytest.fixture
def ct(tmp_path, fake_machine) -> Path:
    return scan().save(tmp_path / "ct.nrrd")


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("limit", [0, 300, 1000, 2000, 5000])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk(limit, overwrite, ct, bundle, call, tmp_path, monkeypatch, capsys):
    """It ends within the segmentation, the figures or the page: none of them is there, what was there still is."""
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    if overwrite:
        for name in OUTPUTS[1::2]:
            Path(name).write_text("precious")
    with file_size_limit(limit):
        code = call("segment", ct, "--model", bundle, *OUTPUTS, *(["--overwrite"] if overwrite else []))
    shown = capsys.readouterr()
    assert code == 3 and "[E_OUTPUT]" in shown.err and shown.err.count("\n") == 1 and "/." not in shown.err
    assert names(Path()) == (set(OUTPUTS[1::2]) if overwrite else set())
    assert all(p.read_text() == "precious" for p in Path().iterdir())


def test_a_disk_that_is_really_full(ct, bundle, call, tmp_path, monkeypatch, capsys):
    with small_disk(tmp_path / "disk", 64) as disk:
        (disk / "ballast").write_bytes(bytes(60_000))
        monkeypatch.chdir(disk)
        assert call("segment", ct, "--model", bundle, *OUTPUTS) == 3
        assert "No space left on device" in capsys.readouterr().err
        assert names(disk) == {"ballast"}
        monkeypatch.chdir(tmp_path)


def test_a_read_only_disk(ct, bundle, call, tmp_path, monkeypatch, capsys):
    with small_disk(tmp_path / "disk", 64) as disk:
        make_read_only(disk)
        started = []
        monkeypatch.setattr(FakeSystem, "locate", lambda *a: started.append(1))
        for option in ("-o", "--json", "--report"):
            name = {"-o": "o.seg.nrrd", "--json": "o.json", "--report": "o.html"}[option]
            assert call("segment", ct, "--model", bundle, "-o", tmp_path / "x.seg.nrrd", option, disk / name) == 3
            assert "[E_OUTPUT]" in capsys.readouterr().err
        assert started == [] and names(disk) == set()  # said before anything is computed


def test_another_run_that_was_faster_is_not_overwritten(ct, bundle, call, tmp_path, monkeypatch, capsys):
    """Both began when nothing was there. What the other wrote stays, and nothing of ours stands beside it."""
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    real = FakeSystem.locate

    def locate(self, volume, organs):
        Path("o.json").write_text("of the other run")
        return real(self, volume, organs)

    monkeypatch.setattr(FakeSystem, "locate", locate)
    assert call("segment", ct, "--model", bundle, *OUTPUTS) == 2
    assert "made by another run meanwhile" in (shown := capsys.readouterr().err) and "[E_EXISTS]" in shown
    assert names(Path()) == {"o.json"} and Path("o.json").read_text() == "of the other run"


def test_nothing_found_does_not_remove_another_runs_segmentation(tmp_path, bundle, call, fake_machine, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ct = scan().but(voxels=np.where(scan().voxels > 80, 40, scan().voxels).astype(np.int16)).save(tmp_path / "ct.nrrd")
    real = FakeSystem.locate

    def locate(self, volume, organs):
        Path("o.seg.nrrd").write_text("of the other run")
        return real(self, volume, organs)

    monkeypatch.setattr(FakeSystem, "locate", locate)
    assert call("segment", ct, "--model", bundle, *OUTPUTS) == 4
    assert Path("o.seg.nrrd").read_text() == "of the other run"


def test_without_hard_links_the_other_run_is_seen_too(ct, bundle, call, tmp_path, monkeypatch):
    def no_links(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("TwoStageSegLib.outputs.atomic.os.link", no_links)
    monkeypatch.chdir(tmp_path)
    assert call("segment", ct, "--model", bundle, *OUTPUTS) == 0
    monkeypatch.setattr("TwoStageSegLib.commands.segment.check_outputs", lambda *a: None)
    before = Path("o.json").read_bytes()
    assert call("segment", ct, "--model", bundle, *OUTPUTS) == 2
    assert Path("o.json").read_bytes() == before and names(Path()) >= {"o.json", "o.html", "o.seg.nrrd"}
    assert not [n for n in names(Path()) if n.startswith(".")]


PROGRAM = """
import sys, time, pathlib
from Testing.harness.fake_system import FakeSystem
from TwoStageSegLib import pipeline
from TwoStageSegLib.cli import main
from TwoStageSegLib.device import Device
from TwoStageSegLib.outputs import segnrrd
pipeline.create = FakeSystem
pipeline.choose_device = lambda wanted: Device("cpu", "CPU: fake", half=False)
go, stall = pathlib.Path(sys.argv[1]), sys.argv[2]
if stall == "write":
    real = segnrrd._slabs
    def slabs(*arguments):
        for part in real(*arguments):
            yield part
            go.with_name("writing").touch()
            time.sleep(600)
    segnrrd._slabs = slabs
else:
    print("ready", flush=True)
    while not go.exists():
        time.sleep(0.005)
sys.exit(main(sys.argv[3:]))
"""


def program(tmp_path: Path, stall: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "go"), stall, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        command, cwd=tmp_path / "out", env=environment, text=True, preexec_fn=hear_interrupts, **streams
    )


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_three_runs_at_once_to_one_place(overwrite, ct, bundle, tmp_path):
    (tmp_path / "out").mkdir()
    runs = [program(tmp_path, "", "segment", ct, "--model", bundle, *OUTPUTS, *overwrite) for _ in range(3)]
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    codes = sorted(run.wait(60) for run in runs)
    for run in runs:
        run.communicate()
    assert codes == ([0, 0, 0] if overwrite else [0, 2, 2])
    assert names(tmp_path / "out") == set(OUTPUTS[1::2])
    assert len(read_segmentation(tmp_path / "out" / "o.seg.nrrd")) == 3


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 1), (signal.SIGINT, 1)])
def test_a_run_that_is_killed_while_it_writes(how, code, ct, bundle, tmp_path):
    """The old file is whole. After a polite signal nothing else is there; after SIGKILL only a hidden part, no name."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "o.seg.nrrd").write_text("precious")
    run = program(tmp_path, "write", "segment", ct, "--model", bundle, *OUTPUTS, "--overwrite")
    deadline = time.monotonic() + 60
    while not (tmp_path / "writing").exists():
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.01)
    run.send_signal(how)
    assert run.wait(30) == code
    _, said = run.communicate()
    assert (tmp_path / "out" / "o.seg.nrrd").read_text() == "precious"
    left = names(tmp_path / "out") - {"o.seg.nrrd"}
    assert all(name.startswith(".") for name in left) if how == signal.SIGKILL else left == set()
    assert said == "" if how == signal.SIGKILL else said.endswith("Nothing was written. [E_CANCELLED]\n")


# -- the folder through which voxels and masks pass


def test_a_full_disk_for_temporary_files_is_said_and_leaves_no_half_file(tmp_path):
    volume = fake_volume()
    mask = Mask("Brainstem", np.ones((20, 20, 20), bool), (0, 0, 0), volume.geometry)
    result = OrganResult("Brainstem", Region.click("Brainstem", (0, 0, 120)), mask)
    for put in (lambda: put_volume(tmp_path, 1, volume), lambda: put_organ(tmp_path, 1, 0, result)):
        with file_size_limit(4000), pytest.raises(TwoStageSegError, match="Free disk space") as caught:
            put()
        assert caught.value.code == "E_DISK" and names(tmp_path) == set()


def test_a_session_with_a_full_disk_says_so_and_goes_on_when_there_is_room(session, scratch, monkeypatch):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from Testing.harness.sessions import run
    from TwoStageSegLib.session import RUN

    run(session)
    g = fake_volume().geometry
    from TwoStageSegLib.scene import node_from_volume

    session.choose_volume(node_from_volume(session.scene, Volume(fake_volume().voxels, g, "CT"), "next"))
    with file_size_limit(4000):
        assert not session.run()
    assert "Free disk space" in session.problems.at(RUN) and not session.busy
    assert list(scratch.iterdir()) == []
    run(session)
    assert session.problems.at(RUN) == ""
