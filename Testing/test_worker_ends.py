"""However a worker ends, cancelled, killed or orphaned, no process and no file is left behind."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from Testing.harness.fake_system import STALL, fake_volume
from Testing.harness.workers import FAKE, POSIX, entered, gone, ready, until_entered
from TwoStageSegLib.errors import Cancelled as RunCancelled
from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.handover import PREFIX
from TwoStageSegLib.messages import Hello
from TwoStageSegLib.worker_client import WorkerClient
from TwoStageSegLib.worker_process import worker_environment

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("load", "locate", "segment-Parotid_R")
EVERY_STAGE = (*STAGES, "self_test", "segment-Brainstem", "segment-Parotid_L")
pytestmark = pytest.mark.usefixtures("scratch")


def test_an_obedient_worker_survives_a_cancel(client, fake_bundle, tmp_path, monkeypatch):
    """The stage ends within the grace time: the run is cancelled, the process and what it knows stay."""
    client.grace_s = 20
    monkeypatch.setenv(STALL, "segment-Brainstem=0.3")
    ready(client, fake_bundle)
    client.run()
    until_entered(tmp_path, "segment-Brainstem")
    client.cancel()
    with pytest.raises(RunCancelled):
        client.wait(30)
    assert client.running and not client.busy
    assert "segment-Parotid_R" not in entered(tmp_path)
    client.run(["Parotid_L"])
    assert client.wait(30).located[0].organ == "Parotid_L"
    assert entered(tmp_path).count("locate") == 1
    client.grace_s = 0.5


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancel_that_is_not_obeyed_kills(client, fake_bundle, tmp_path, monkeypatch, stage):
    """The stage never ends, as a forward pass that hangs: Cancelled comes all the same, and the next start works."""
    monkeypatch.setenv(STALL, f"{stage}=600")
    client.start()
    client.load(fake_bundle)
    client.open(fake_volume())
    client.run()
    until_entered(tmp_path, stage)
    pid, started = client.pid, time.monotonic()
    client.cancel()
    with pytest.raises(RunCancelled):
        client.wait(30)
    assert time.monotonic() - started < 5
    assert gone(pid) and not client.running and not client.busy
    monkeypatch.delenv(STALL)
    ready(client, fake_bundle)
    client.run()
    assert len(client.wait().located) == 3


def test_a_late_cancel_does_no_harm(client, fake_bundle):
    ready(client, fake_bundle)
    client.run()
    client.wait()
    client.cancel()
    time.sleep(0.7)  # longer than the grace time
    client.run()
    assert len(client.wait().located) == 3


def test_a_cancel_obeyed_but_not_yet_polled_does_not_kill(client, fake_bundle):
    client.grace_s = 3.0  # a busy machine may need more than the fixture's half second to obey
    ready(client, fake_bundle)
    client.run()
    client.cancel()
    time.sleep(3.5)
    assert client.running
    while client.busy:
        client.poll(5.0)
    assert client.running


@POSIX
@pytest.mark.parametrize("stage", EVERY_STAGE)
def test_killed_from_outside_it_says_so_and_leaves_nothing(client, fake_bundle, tmp_path, monkeypatch, scratch, stage):
    monkeypatch.setenv(STALL, f"{stage}=600")
    client.start()
    client.load(fake_bundle)
    client.open(fake_volume())
    client.run()
    until_entered(tmp_path, stage)
    os.kill(client.pid, signal.SIGKILL)
    with pytest.raises(TwoStageSegError, match=r"killed by SIGKILL.*short of memory") as info:
        client.wait(30)
    assert info.value.code == "E_WORKER" and "\n" not in str(info.value)
    assert not client.running and not client.busy
    assert list(scratch.iterdir()) == []


PARENT = """
import sys, time
from pathlib import Path
import tempfile
tempfile.tempdir = sys.argv[1]
from Testing.harness.fake_system import fake_volume
from TwoStageSegLib.worker_client import WorkerClient
client = WorkerClient(module="Testing.harness.fake_worker")
client.start()
client.load(sys.argv[2])
client.open(fake_volume())
client.run()
print(client.pid, flush=True)
if sys.argv[3] == "leave":
    deadline = time.monotonic() + 30
    while "locate" not in Path(sys.argv[4]).read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
else:
    time.sleep(600)
"""


@POSIX
@pytest.mark.parametrize("stage", STAGES)
def test_dies_with_a_killed_parent_and_deletes_the_voxels(fake_bundle, tmp_path, monkeypatch, scratch, stage):
    monkeypatch.setenv(STALL, f"{stage}=600")
    with start_parent(scratch, fake_bundle, "stay", tmp_path) as parent:
        pid = int(parent.stdout.readline())
        until_entered(tmp_path, stage)
        assert list(scratch.glob(PREFIX + "*"))
        parent.kill()
    assert gone(pid)
    assert list(scratch.iterdir()) == []


def test_a_program_that_ends_without_close_leaves_nothing(fake_bundle, tmp_path, monkeypatch, scratch):
    monkeypatch.setenv(STALL, "locate=600")
    (tmp_path / "entered").touch()
    with start_parent(scratch, fake_bundle, "leave", tmp_path) as parent:
        pid = int(parent.stdout.readline())
        assert parent.wait(60) == 0
    assert gone(pid)
    assert list(scratch.iterdir()) == []


def start_parent(scratch, bundle, how, tmp_path):
    arguments = [str(scratch), str(bundle), how, str(tmp_path / "entered")]
    return subprocess.Popen([sys.executable, "-c", PARENT, *arguments], cwd=ROOT, stdout=subprocess.PIPE)


@POSIX
def test_dies_with_its_parent_even_if_somebody_else_holds_its_stdin(fake_bundle, tmp_path, scratch):
    """A launcher between client and worker was killed: stdin stays open, but the parent is another."""
    folder = scratch / (PREFIX + "x")
    folder.mkdir()
    keep_read, keep_write = os.pipe()
    said_read, said_write = os.pipe()
    launcher = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m', {FAKE!r}, "
         f"'--folder', {str(folder)!r}], stdin={keep_read}, stdout={said_write});"
         "print(p.pid, flush=True); time.sleep(600)"],
        cwd=ROOT, stdout=subprocess.PIPE, pass_fds=[keep_read, said_write], env=worker_environment(),
    )  # fmt: skip
    with os.fdopen(said_read) as said:
        with launcher:
            pid = int(launcher.stdout.readline())
            while "heartbeat" not in said.readline():
                pass  # from the first heartbeat on it knows its parent
            launcher.kill()
        assert gone(pid)
    for end in (keep_read, keep_write, said_write):
        os.close(end)


def test_a_forgotten_client_leaves_nothing(fake_bundle, scratch):
    forgotten = WorkerClient(module=FAKE)
    forgotten.start()
    forgotten.wait_for(Hello)
    pid = forgotten.pid
    del forgotten
    gc.collect()
    assert gone(pid) and list(scratch.iterdir()) == []


def test_close_during_a_run_is_quick_and_clean(fake_bundle, tmp_path, monkeypatch, scratch):
    monkeypatch.setenv(STALL, "locate=600")
    client = WorkerClient(module=FAKE)
    client.start()
    client.load(fake_bundle)
    client.open(fake_volume())
    client.run()
    until_entered(tmp_path, "locate")
    pid, started = client.pid, time.monotonic()
    client.close()
    client.close()
    assert time.monotonic() - started < 5 and gone(pid, 0.1)
    assert client.poll() == [] and not client.running


@POSIX
def test_ctrl_c_in_the_terminal_is_the_parents_business(client, fake_bundle):
    ready(client, fake_bundle)
    os.kill(client.pid, signal.SIGINT)
    client.run()
    assert len(client.wait().located) == 3
