"""The worker and its client: results, warm runs, refusals. Real processes around the fake system."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.bundles import manifest_values, write_manifest
from Testing.harness.fake_system import HU, STALL, FakeSystem, fake_volume
from Testing.harness.fake_worker import REHEARSES, fake_device
from Testing.harness.untrained import write_untrained_bundle
from Testing.harness.workers import entered, ready, until_entered
from TwoStageSegLib import pipeline
from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.messages import Done, GridMessage, Hello, ModelReady, Open, Progress, Run, VolumeReady
from TwoStageSegLib.model import load_model
from TwoStageSegLib.region import Region
from TwoStageSegLib.worker_client import OrganArrived, WorkerClient
from TwoStageSegLib.worker_process import ALLOCATOR, without_paths, worker_environment

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("load", "locate", "segment-Parotid_R")
pytestmark = pytest.mark.usefixtures("scratch")


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


REHEARSED = ["locate", "segment-Brainstem", "segment-Parotid_R", "segment-Parotid_L"]


def test_rehearses_while_nobody_asks_for_anything(client, fake_bundle, tmp_path, monkeypatch):
    monkeypatch.setenv(REHEARSES, "1")
    client.start()
    client.load(fake_bundle, "cpu")
    client.wait_for(ModelReady)
    until_entered(tmp_path, REHEARSED[-1])
    client.open(fake_volume())
    client.run(["Brainstem"], {})
    assert client.wait().organs[0].organ == "Brainstem"
    assert entered(tmp_path)[2:] == [*REHEARSED, "locate", "segment-Brainstem"]


@pytest.mark.parametrize("happens", ["0.5", "raise"], ids=["takes long", "fails"])
def test_a_rehearsal_is_in_nobodys_way(client, fake_bundle, tmp_path, monkeypatch, happens):
    """It ends when somebody asks, and a failure of its own is nobody's business."""
    monkeypatch.setenv(REHEARSES, "1")
    monkeypatch.setenv(STALL, f"segment-Brainstem={happens}")
    client.start()
    client.load(fake_bundle, "cpu")
    until_entered(tmp_path, "segment-Brainstem")
    client.open(fake_volume())
    client.run(["Parotid_R"], {})
    assert client.wait().organs[0].organ == "Parotid_R"
    assert entered(tmp_path)[2:] == ["locate", "segment-Brainstem", "locate", "segment-Parotid_R"]


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


def rounded(region):
    """The region with its score as the protocol carries it: four decimals."""
    return replace(region, score=round(region.score, 4))


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
        assert got.region == rounded(want.region) and (got.mask is None) == (want.mask is None)
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
    monkeypatch.setenv(STALL, "locate=4.5")
    ready(client, fake_bundle)
    client.run()
    silences = []
    while client.busy:
        client.poll(0.1)
        silences.append(client.silent_s)
    assert max(silences) < 4.0  # one second on an idle machine


def test_the_environment_keeps_memory_and_leaves_the_users_packages_out(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "theirs")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "7")
    environment = worker_environment()
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "theirs"]
    assert (environment["PYTHONNOUSERSITE"], environment["PYTHONUTF8"]) == ("1", "1")
    if sys.platform == "linux":
        assert environment["MALLOC_MMAP_THRESHOLD_"] == ALLOCATOR["MALLOC_MMAP_THRESHOLD_"] == "8589934592"
        assert environment["MALLOC_TOP_PAD_"] == "7"  # what the user set stays
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "OSError: [Errno 2] No such file: '/scans/Patient Meier/ct.nrrd'",
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
