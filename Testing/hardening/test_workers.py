"""Accidents of the worker process: killed anywhere, cancelled a hundred times, its files gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="locks and signals of POSIX")

from Testing.harness.fake_system import STALL, fake_volume
from Testing.harness.workers import gone, ready, until_entered
from TwoStageSegLib import leftovers
from TwoStageSegLib.errors import Cancelled as RunCancelled
from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.handover import PREFIX, private_folder, remove_private_folder
from TwoStageSegLib.messages import Organ
from TwoStageSegLib.worker_client import OrganArrived

ROOT = Path(__file__).resolve().parents[2]
HELD = "import sys; from TwoStageSegLib.handover import private_folder; f = private_folder(); print(f, flush=True); "


def test_killed_between_a_result_and_the_next(client, bundle, scratch):
    """Some masks have been handed over, the others never come: an error, no half result, nothing left."""
    ready(client, bundle)
    client.run()
    client.wait_for(OrganArrived, 30)
    os.kill(client.pid, signal.SIGKILL)
    try:
        client.wait(30)  # everything was in the pipe already
    except TwoStageSegError as error:
        assert error.code == "E_WORKER"
    client.close()
    assert list(scratch.iterdir()) == []


def test_stopped_and_continued_it_goes_on(client, bundle, tmp_path, monkeypatch):
    """A laptop's lid: the process stands still for a while and then goes on where it was."""
    monkeypatch.setenv(STALL, "locate=0.2")
    ready(client, bundle)
    client.run()
    until_entered(tmp_path, "locate")
    os.kill(client.pid, signal.SIGSTOP)
    time.sleep(0.3)
    os.kill(client.pid, signal.SIGCONT)
    assert len(client.wait(30).located) == 3


def test_a_hundred_cancels_in_a_row(client, bundle, scratch):
    client.grace_s = 20
    ready(client, bundle)
    pid, ended = client.pid, 0
    for number in range(100):
        client.run(None if number % 2 else ["Brainstem"])
        client.cancel()
        try:
            client.wait(30)
        except RunCancelled:
            ended += 1
    assert ended > 0 and client.pid == pid and client.running and not client.busy
    (folder,) = scratch.iterdir()
    client.run()
    assert len(client.wait(30).located) == 3
    assert list(folder.iterdir()) == []
    client.grace_s = 0.5


def test_forty_cancels_in_the_session(session, scratch):
    from Testing.harness.sessions import finish, pid_of, run

    run(session)
    nodes, pid = session.scene.GetNumberOfNodes(), pid_of(session)
    for _ in range(40):
        assert session.run()
        session.cancel()
        session.cancel()
        finish(session)
    assert pid_of(session) == pid and session.problems.places == ()
    assert session.scene.GetNumberOfNodes() == nodes
    run(session)
    assert session.runs.outcome == "Done."


# -- folders of temporary files


def test_a_killed_program_and_a_killed_worker_leave_a_folder_that_the_next_one_removes(scratch):
    """Both are gone at once, as when a batch system ends a job: nobody was left to clean up."""
    child = subprocess.Popen(
        [sys.executable, "-c", f"import tempfile; tempfile.tempdir = {str(scratch)!r}; {HELD} "
         "import time; (f / 'voxels-1.npy').write_bytes(b'a patient'); print('x', flush=True); time.sleep(600)"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    left = Path(child.stdout.readline().strip())
    child.stdout.readline()
    mine = private_folder()
    assert left.is_dir() and mine.is_dir()  # a living program's folder is let alone
    child.kill()
    child.wait()
    child.stdout.close()
    assert (left / "voxels-1.npy").is_file()
    again = private_folder()
    assert not left.exists() and mine.is_dir()
    for folder in (mine, again):
        remove_private_folder(folder)


@pytest.mark.parametrize("name", [f"{PREFIX}notours", f"{PREFIX}0123456789ab-unlocked", "other-0123456789ab"])
def test_only_folders_of_this_program_are_removed(scratch, name):
    other = scratch / name
    other.mkdir()
    (other / "precious").touch()
    remove_private_folder(private_folder())
    assert (other / "precious").exists()
    shutil.rmtree(other)


def test_neither_links_nor_other_peoples_folders_are_removed(scratch, tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    link = scratch / f"{PREFIX}0123456789ab"
    link.symlink_to(tmp_path / "home")
    assert leftovers.abandoned(PREFIX, scratch) == []
    link.unlink()
    link.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(leftovers.os, "getuid", lambda: -7)
        assert leftovers.abandoned(PREFIX, scratch) == []
    assert leftovers.abandoned(PREFIX, scratch) == [link]
    leftovers.remove_held(link)


def test_a_folder_that_never_got_its_name_is_removed_later(scratch):
    unborn = scratch / f".new{PREFIX}abcdefgh"
    unborn.mkdir()
    assert leftovers.abandoned(PREFIX, scratch) == [] and unborn.is_dir()
    os.utime(unborn, (1e9, 1e9))
    assert leftovers.abandoned(PREFIX, scratch) == [] and not unborn.exists()


def test_a_private_folder_is_the_users_alone(scratch):
    folder = private_folder()
    assert folder.stat().st_mode & 0o777 == 0o700 and folder.parent == scratch
    remove_private_folder(folder)
    assert list(scratch.iterdir()) == []


def test_a_result_whose_file_is_gone_is_an_error_and_the_next_start_works(client, bundle, scratch, monkeypatch):
    """Something tidies the folder of temporary files while a run is under way."""
    from TwoStageSegLib import worker_client

    real = worker_client.take_organ

    def tidied(folder: Path, event: Organ, geometry):
        for file in folder.iterdir():
            file.unlink()
        return real(folder, event, geometry)

    ready(client, bundle)
    monkeypatch.setattr(worker_client, "take_organ", tidied)
    client.run()
    with pytest.raises(TwoStageSegError, match="temporary file is gone or damaged") as caught:
        client.wait(30)
    assert caught.value.code == "E_WORKER" and not client.running and not client.busy
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    ready(client, bundle)
    client.run()
    assert len(client.wait(30).located) == 3


def test_a_session_whose_folder_was_tidied_away_starts_anew(session, scratch):
    from Testing.harness.sessions import finish, pid_of, run, shifted
    from TwoStageSegLib.scene import node_from_volume
    from TwoStageSegLib.session import RUN

    run(session)
    pid = pid_of(session)
    (folder,) = scratch.iterdir()
    shutil.rmtree(folder)
    session.choose_volume(node_from_volume(session.scene, shifted(fake_volume(), (10, 0, 0)), "next"))
    session.target = None
    run(session)
    assert session.problems.at(RUN) == "" and gone(pid)
    assert session.run()  # and away it goes while one is under way
    for folder in scratch.iterdir():
        shutil.rmtree(folder)
    finish(session)
    run(session)
    assert session.problems.at(RUN) == ""
