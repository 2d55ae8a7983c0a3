"""The worker process and its client: warm, cancellable, killable; no process and no file is left behind.

Real processes throughout, around the fake system (``harness.fake_worker``).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.bundles import manifest_values, write_manifest
from Testing.harness.fake_system import ENTERED, HU, STALL, FakeSystem, fake_volume
from Testing.harness.fake_worker import fake_device
from Testing.harness.untrained import write_untrained_bundle
from TwoStageSegLib import pipeline
from TwoStageSegLib.errors import Cancelled as RunCancelled
from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.handover import PREFIX
from TwoStageSegLib.messages import Done, GridMessage, Hello, ModelReady, Open, Progress, Run, VolumeReady
from TwoStageSegLib.model import load_model
from TwoStageSegLib.region import Region
from TwoStageSegLib.worker_client import OrganArrived, WorkerClient
from TwoStageSegLib.worker_process import ALLOCATOR, without_paths, worker_environment

ROOT = Path(__file__).resolve().parent.parent
FAKE = "Testing.harness.fake_worker"
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")
STAGES = ("load", "locate", "segment-Parotid_R")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Private folders are made here, so that a left-over is seen; stages that the worker enters are logged here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv(ENTERED, str(tmp_path / "entered"))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def client():
    with WorkerClient(grace_s=0.5, module=FAKE) as made:
        yield made
        pid = made.pid
    assert pid is None or gone(pid)


def gone(pid: int, within_s: float = 10.0) -> bool:
    """True once no process ``pid`` runs (a zombie that its new parent has not collected yet counts as gone)."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def ready(client, bundle, volume=None):
    client.start()
    client.load(bundle)
    client.wait_for(ModelReady)
    client.open(volume or fake_volume())
    client.wait_for(VolumeReady)


def entered(tmp_path) -> list[str]:
    log = tmp_path / "entered"
    return log.read_text().split() if log.exists() else []


def until_entered(client, tmp_path, stage: str) -> None:
    deadline = time.monotonic() + 30
    while stage not in entered(tmp_path):
        assert time.monotonic() < deadline, f"{stage} was never entered"
        time.sleep(0.02)


def test_says_hello_and_describes_the_model(client, fake_bundle):
    client.start()
    hello = client.wait_for(Hello)
    assert hello.pid == client.pid
    client.load(fake_bundle, "cpu")
    model = client.wait_for(ModelReady)
    assert (model.name, model.version, model.organs) == ("fake", "0.0.1", list(HU))
    assert model.sha256 == load_model(fake_bundle).sha256 and model.device == "CPU: fake, cpu"


def test_results_equal_the_pipelines(client, fake_bundle, monkeypatch):
    monkeypatch.setattr(pipeline, "create", FakeSystem)
    monkeypatch.setattr(pipeline, "choose_device", fake_device)
    volume = fake_volume()
    regions = {"Parotid_L": Region.box("Parotid_L", (36, 60, 6, 30, 142.5, 160))}
    expected = pipeline.Pipeline(load_model(fake_bundle), "auto").run(volume, None, regions)
    ready(client, fake_bundle, volume)
    client.run(None, regions)
    found = client.wait()
    assert [o.organ for o in found.organs] == [o.organ for o in expected.organs] == list(HU)
    for got, want in zip(found.organs, expected.organs, strict=True):
        assert got.region == want.region
        assert got.mask.start_zyx == want.mask.start_zyx and got.mask.touches_edge == want.mask.touches_edge
        assert np.array_equal(got.mask.voxels, want.mask.voxels) and got.mask.geometry == volume.geometry
    assert found.device == expected.device and set(found.seconds) == set(expected.seconds)


def test_real_networks_in_the_worker_equal_the_pipeline(tmp_path):
    """The true module, torch and all, with tiny untrained networks and clicked organs."""
    bundle = write_untrained_bundle(tmp_path / "untrained")
    volume = fake_volume()
    regions = {
        "Parotid_L": Region.click("Parotid_L", (48, 18, 157.5)),
        "Brainstem": Region.click("Brainstem", (16, 10, 147)),
    }
    check_equal_to_pipeline(bundle, volume, list(regions), regions)


@pytest.mark.slow
def test_trained_networks_in_the_worker_equal_the_pipeline(tiny_bundle):
    from TwoStageSegLib.sample.phantom import generate

    check_equal_to_pipeline(tiny_bundle, generate(7, surroundings=False).volume, None, {})


def check_equal_to_pipeline(bundle, volume, organs, regions):
    expected = pipeline.Pipeline(load_model(bundle), "cpu").run(volume, organs, regions)
    with WorkerClient() as client:
        client.start()
        client.load(bundle, "cpu")
        client.wait_for(ModelReady)
        client.open(volume)
        client.run(organs, regions)
        found = client.wait()
    assert expected.located and [o.organ for o in found.organs] == [o.organ for o in expected.organs]
    for got, want in zip(found.organs, expected.organs, strict=True):
        assert got.region == want.region and (got.mask is None) == (want.mask is None)
        if want.mask is not None:
            assert got.mask.start_zyx == want.mask.start_zyx
            assert np.array_equal(got.mask.voxels, want.mask.voxels)


def test_a_bundle_that_fails_its_self_test_is_refused(tmp_path):
    bundle = write_untrained_bundle(tmp_path / "untrained")
    values = manifest_values(bundle, "untrained")
    values["networks"] = json.loads((bundle / "manifest.json").read_text())["networks"]
    values["networks"]["locate"]["file"] = "segment.safetensors"  # valid files, but not the network that was tested
    write_manifest(bundle, values)
    with WorkerClient() as client:
        client.start()
        client.load(bundle, "cpu")
        with pytest.raises(TwoStageSegError, match="self-test of the network 'locate' failed") as info:
            client.wait_for(ModelReady)
    assert info.value.code == "E_MODEL"


def test_ten_runs_in_one_worker_locate_once_and_move_one_box_alone(client, fake_bundle, tmp_path, scratch):
    ready(client, fake_bundle)
    for number in range(1, 11):
        box = Region.box("Parotid_R", (-20 + number, 10, 6, 30, 140, 175))
        wanted = None if number == 1 else ["Parotid_R"]
        assert client.run(wanted, {} if number == 1 else {"Parotid_R": box}) == number
        result = client.wait()
        assert len(result.organs) == (3 if number == 1 else 1)
        assert not client.busy
    stages = entered(tmp_path)
    assert stages.count("locate") == 1 and stages.count("load") == 1
    assert stages.count("segment-Parotid_R") == 10 and stages.count("segment-Brainstem") == 1
    (folder,) = scratch.iterdir()
    assert list(folder.iterdir()) == []  # voxels and masks were deleted as soon as they were taken


def test_locating_alone_gives_regions_that_stay_warm(client, fake_bundle, tmp_path):
    ready(client, fake_bundle)
    client.run(locate_only=True)
    result = client.wait()
    assert [o.mask for o in result.organs] == [None] * 3 and all(o.region.usable for o in result.organs)
    client.run()
    assert len(client.wait().located) == 3
    assert entered(tmp_path).count("locate") == 1


def test_progress_names_stage_and_organ_and_never_goes_back(client, fake_bundle):
    ready(client, fake_bundle)
    client.run()
    seen = []
    while not (seen and isinstance(seen[-1], Done)):
        seen += client.poll(5.0)
    progress = [e for e in seen if isinstance(e, Progress)]
    assert [(e.stage, e.organ) for e in progress] == [
        ("locate", ""),
        *(("segment", organ) for organ in HU),
        ("done", ""),
    ]
    fractions = [e.fraction for e in progress]
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert [e.result.organ for e in seen if isinstance(e, OrganArrived)] == list(HU)


def test_an_obedient_worker_survives_a_cancel(client, fake_bundle, tmp_path, monkeypatch):
    """The stage ends within the grace time: the run is cancelled, the process and what it knows stay."""
    client.grace_s = 20
    monkeypatch.setenv(STALL, "segment-Brainstem=0.3")
    ready(client, fake_bundle)
    client.run()
    until_entered(client, tmp_path, "segment-Brainstem")
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
    until_entered(client, tmp_path, stage)
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
    ready(client, fake_bundle)
    client.run()
    client.cancel()
    time.sleep(1.0)
    assert client.running
    while client.busy:
        client.poll(5.0)
    assert client.running


@POSIX
@pytest.mark.parametrize("stage", STAGES)
def test_killed_from_outside_it_says_so_and_leaves_nothing(client, fake_bundle, tmp_path, monkeypatch, scratch, stage):
    monkeypatch.setenv(STALL, f"{stage}=600")
    client.start()
    client.load(fake_bundle)
    client.open(fake_volume())
    client.run()
    until_entered(client, tmp_path, stage)
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
        until_entered(None, tmp_path, stage)
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
    launcher = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m', {FAKE!r}, "
         f"'--folder', {str(folder)!r}], stdin={keep_read}, pass_fds=[{keep_read}], stdout=subprocess.DEVNULL);"
         "print(p.pid, flush=True); time.sleep(600)"],
        cwd=ROOT, stdout=subprocess.PIPE, pass_fds=[keep_read], env=worker_environment(),
    )  # fmt: skip
    with launcher:
        pid = int(launcher.stdout.readline())
        time.sleep(1.0)
        launcher.kill()
    assert gone(pid)
    os.close(keep_read)
    os.close(keep_write)


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
    until_entered(client, tmp_path, "locate")
    pid, started = client.pid, time.monotonic()
    client.close()
    client.close()
    assert time.monotonic() - started < 5 and gone(pid, 0.1)
    assert client.poll() == [] and not client.running


def test_garbage_is_answered_and_the_worker_lives_on(client, fake_bundle):
    ready(client, fake_bundle)
    stdin = client._process._popen.stdin
    for line in (b"hello\n", b'{"type": "dance"}\n', b"\xff\xfe\n", b"x" * 3_000_000 + b"\n"):
        stdin.write(line)
        with pytest.raises(TwoStageSegError) as info:
            client.wait_for(Hello, 10)
        assert info.value.code == "E_PROTOCOL"
    client.run()
    assert len(client.wait().located) == 3


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Run(1, ["Heart"]), "E_ORGAN"),
        (Run(1, None, [{"organ": "Brainstem"}]), "E_PROTOCOL"),
        (Run(1, None, [Region.click("Brainstem", (9999, 0, 0)).as_json()]), "E_OUTSIDE"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_with_its_code(client, fake_bundle, command, code):
    ready(client, fake_bundle)
    client.send(command)
    with pytest.raises(TwoStageSegError) as info:
        client.wait_for(Done, 10)
    assert info.value.code == code


def test_a_run_before_model_and_volume_is_refused(client):
    client.start()
    client.run()
    with pytest.raises(TwoStageSegError, match="must be loaded") as info:
        client.wait(10)
    assert info.value.code == "E_ORDER" and not client.busy


def test_a_volume_named_outside_the_folder_is_refused(client, fake_bundle):
    ready(client, fake_bundle)
    client.send(Open("../../etc/passwd", GridMessage.of(fake_volume().geometry)))
    with pytest.raises(TwoStageSegError) as info:
        client.wait_for(VolumeReady, 10)
    assert info.value.code == "E_PROTOCOL"


def test_a_damaged_bundle_is_refused(client, fake_bundle):
    (fake_bundle / "extra").touch()
    client.start()
    client.load(fake_bundle)
    with pytest.raises(TwoStageSegError) as info:
        client.wait_for(ModelReady)
    assert info.value.code == "E_MODEL" and client.running


@pytest.mark.parametrize(
    ("how", "code", "text"), [("raise", "E_UNEXPECTED", "RuntimeError"), ("memory", "E_MEMORY", "Not enough memory")]
)
def test_an_error_nobody_expected_is_one_line_without_paths(client, fake_bundle, monkeypatch, how, code, text):
    monkeypatch.setenv(STALL, f"segment-Brainstem={how}")
    ready(client, fake_bundle)
    client.run()
    with pytest.raises(TwoStageSegError, match=text) as info:
        client.wait(30)
    assert info.value.code == code and "/" not in str(info.value) and "\n" not in str(info.value)
    client.run(["Parotid_R"])
    assert len(client.wait().located) == 1


def test_two_runs_at_once_are_refused_here(client, fake_bundle, monkeypatch):
    monkeypatch.setenv(STALL, "locate=1")
    ready(client, fake_bundle)
    client.run()
    with pytest.raises(TwoStageSegError, match="under way"):
        client.run()
    client.wait()


def test_a_python_that_is_not_there_is_one_clear_error(scratch, tmp_path):
    with pytest.raises(TwoStageSegError, match="could not be started") as info:
        WorkerClient().start(tmp_path / "no-python")
    assert info.value.code == "E_WORKER"


def test_a_worker_that_cannot_import_says_why(tmp_path):
    with WorkerClient(module="Testing.harness.no_such_module") as client:
        client.start()
        with pytest.raises(TwoStageSegError, match=r"exit code 1.*No module named") as info:
            client.wait_for(Hello, 30)
    assert "/" not in str(info.value)


def test_nothing_is_sent_to_a_worker_that_was_never_started():
    with pytest.raises(TwoStageSegError, match="not running"):
        WorkerClient().load("phantom")


def test_the_heartbeat_is_heard_during_a_long_stage(client, fake_bundle, monkeypatch):
    monkeypatch.setenv(STALL, "locate=2.5")
    ready(client, fake_bundle)
    client.run()
    silences = []
    while client.busy:
        client.poll(0.1)
        silences.append(client.silent_s)
    assert max(silences) < 2.2


@POSIX
def test_ctrl_c_in_the_terminal_is_the_parents_business(client, fake_bundle):
    ready(client, fake_bundle)
    os.kill(client.pid, signal.SIGINT)
    client.run()
    assert len(client.wait().located) == 3


def test_the_environment_keeps_memory_and_leaves_the_users_packages_out(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "theirs")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "7")
    environment = worker_environment()
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "theirs"]
    assert (environment["PYTHONNOUSERSITE"], environment["PYTHONUTF8"]) == ("1", "1")
    if sys.platform == "linux":
        assert environment["MALLOC_MMAP_THRESHOLD_"] == ALLOCATOR["MALLOC_MMAP_THRESHOLD_"] == "8589934592"
        assert environment["MALLOC_TOP_PAD_"] == "7"  # what the user set stays


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "OSError: [Errno 2] No such file: '/home/mueller/Patient Meier/ct.nrrd'",
            "OSError: [Errno 2] No such file: 'ct.nrrd'",
        ),
        (r"error in C:\Users\mueller\scan.nii at once", "error in …"),
        ("cannot open /data/Meier Hans/ct.nrrd", "cannot open …"),
        ("cannot open (Meier/ct.nrrd)", "cannot open (…"),
        ('  File "/opt/x/y.py", line 3', '  File "y.py", line 3'),
        ("RuntimeError: 3/4 done", "RuntimeError: …"),
        ("/usr/bin/python3: No module named x", "python3: No module named x"),
        ("plain words", "plain words"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_last_words_hold_no_paths(text, shown):
    assert without_paths(text) == shown
