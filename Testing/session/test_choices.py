"""Choices and questions: which scan, which model, what would be overwritten, the way back."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.fake_system import STALL, fake_volume
from Testing.harness.mrml import segmentation_node
from Testing.harness.sessions import finish, run, until
from Testing.session.test_runs import block, voxels
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene import node_from_volume, put_mask, volume_from_node
from TwoStageSegLib.session import MODEL, TARGET, VOLUME, Origin, Policy, RowStatus, description, installed_models
from TwoStageSegLib.volume import Volume


def edit(session: Any, organ: str) -> np.ndarray:
    """What a person does in the Segment Editor: other voxels, the same tags."""
    volume = volume_from_node(session.volume_node)
    put_mask(session.target, Mask(organ, np.ones((2, 2, 2), bool), (0, 0, 0), volume.geometry), session.volume_node)
    return voxels(session, organ)


def foreign(session: Any) -> np.ndarray:
    """A segmentation with a contour of the user's own."""
    session.target = segmentation_node(session.scene)
    return edit(session, "Brainstem")


def test_a_scan_says_its_size_and_modality(session):
    assert session.volume_text == "28 x 24 x 24 · 4 x 4 x 5 mm · CT"


def test_an_mr_is_refused_in_words_at_the_volume(session):
    good = fake_volume()
    session.choose_volume(node_from_volume(session.scene, Volume(good.voxels, good.geometry, "MR"), "T1"))
    assert session.problems.at(VOLUME) == "The image is MR, the model needs CT. Choose the CT series."
    assert not session.can_run and not session.run()
    session.choose_volume(node_from_volume(session.scene, good, "CT"))
    assert session.problems.places == () and session.can_run


def test_a_scan_that_was_put_right_can_be_used_without_choosing_it_again(session):
    bent = session.scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    session.volume_node.SetAndObserveTransformNodeID(bent.GetID())
    session.check_volume()
    assert "non-linear transform" in session.problems.at(VOLUME) and not session.can_run
    session.volume_node.SetAndObserveTransformNodeID(None)
    until(session, lambda: session.can_run)


def test_a_damaged_model_is_listed_with_the_reason(session, tmp_path, monkeypatch):
    folder = write_fake_bundle(tmp_path / "own" / "broken", "broken")
    (folder / "weights.safetensors").write_bytes(b"x")
    entry = next(e for e in installed_models() if e.folder == folder)
    assert entry.model is None and entry.title == "broken: cannot be used"
    session.choose_model(entry)
    assert "damaged or changed" in session.problems.at(MODEL) and not session.can_run and session.rows == {}


def test_a_model_is_described_before_it_is_used(session):
    told = dict(description(session.model))
    assert told["Licence of the weights"] == "CC0-1.0" and told["Not for"] == "patients"
    assert told["SHA-256"] == session.model.sha256
    assert told["Measured"].startswith("Brainstem not measured; ")


@pytest.mark.parametrize("kind", ["folder", "zip", "zip with a folder"])
def test_a_model_from_a_file_is_tested_and_then_installed(session, tmp_path, kind):
    source = write_fake_bundle(tmp_path / "download" / "new", "new")
    if kind != "folder":
        archive = tmp_path / "new.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for file in source.iterdir():
                packed.write(file, file.name if kind == "zip" else f"new/{file.name}")
        source = archive
    assert session.add_model_from_file(source) and session.busy
    finish(session)
    assert session.problems.at(MODEL) == ""
    assert [e.name for e in installed_models() if e.folder == tmp_path / "own" / "new"] == ["new"]
    assert [p.name for p in (tmp_path / "own").iterdir()] == ["new"]
    run(session)


def test_a_model_that_fails_its_self_test_replaces_nothing(session, tmp_path, monkeypatch):
    old = write_fake_bundle(tmp_path / "own" / "new", "new")
    before = {p.name: p.read_bytes() for p in old.iterdir()}
    source = write_fake_bundle(tmp_path / "download", "new")
    values = json.loads((source / "manifest.json").read_text())
    (source / "manifest.json").write_text(json.dumps(values | {"version": "2.0.0"}))
    monkeypatch.setenv(STALL, "self_test=raise")
    assert session.add_model_from_file(source)
    finish(session)
    assert session.problems.at(MODEL).startswith("Not added.")
    assert {p.name: p.read_bytes() for p in old.iterdir()} == before
    monkeypatch.delenv(STALL)
    assert session.add_model_from_file(source)
    finish(session)
    assert '"2.0.0"' in (old / "manifest.json").read_text()
    assert [p.name for p in (tmp_path / "own").iterdir()] == ["new"]


@pytest.mark.parametrize("spoil", ["hash", "not a zip", "escape", "no manifest"])
def test_what_is_no_model_leaves_nothing_behind(session, tmp_path, spoil):
    source: Path = write_fake_bundle(tmp_path / "download", "new")
    if spoil == "hash":
        (source / "weights.safetensors").write_bytes(b"x" * (source / "weights.safetensors").stat().st_size)
    elif spoil == "no manifest":
        (source / "manifest.json").unlink()
    else:
        archive = tmp_path / "new.zip"
        archive.write_bytes(b"nothing")
        if spoil == "escape":
            with zipfile.ZipFile(archive, "w") as packed:
                packed.write(source / "manifest.json", "../manifest.json")
        source = archive
    assert not session.add_model_from_file(source) and not session.busy
    assert session.problems.at(MODEL).startswith("Not added. ")
    assert list((tmp_path / "own").iterdir()) == []


def test_cancelling_the_self_test_leaves_nothing_behind(session, tmp_path, monkeypatch):
    source = write_fake_bundle(tmp_path / "download", "new")
    monkeypatch.setenv(STALL, "self_test=30")
    assert session.add_model_from_file(source)
    session.cancel()
    assert not session.busy and list((tmp_path / "own").iterdir()) == []


def test_our_own_result_is_replaced_without_asking(session):
    run(session)
    assert session.run() and session.question is None
    finish(session)
    assert session.target.GetSegmentation().GetNumberOfSegments() == 3


def test_an_edited_segment_is_asked_about_and_can_be_replaced(session):
    run(session)
    edit(session, "Brainstem")
    assert not session.run()
    assert [(o.organ, o.origin) for o in session.question.overwrites] == [("Brainstem", Origin.EDITED)]
    assert not session.can_run
    assert session.answer(Policy.REPLACE)
    finish(session)
    assert np.array_equal(voxels(session, "Brainstem"), block("Brainstem"))


def test_a_foreign_segment_is_asked_about_and_can_be_kept(session):
    mine = foreign(session)
    assert not session.run()
    assert [(o.organ, o.origin) for o in session.question.overwrites] == [("Brainstem", Origin.FOREIGN)]
    assert session.answer(Policy.KEEP)
    finish(session)
    assert np.array_equal(voxels(session, "Brainstem"), mine)
    assert session.rows["Brainstem"].status is RowStatus.KEPT
    assert np.array_equal(voxels(session, "Parotid_R"), block("Parotid_R"))


def test_a_question_called_off_changes_nothing(session):
    mine = foreign(session)
    session.run()
    assert not session.answer(None) and session.question is None
    assert np.array_equal(voxels(session, "Brainstem"), mine)
    assert session.target.GetSegmentation().GetNumberOfSegments() == 1


def test_beside_keeps_the_users_and_is_replaced_by_its_own_successor(session):
    mine = foreign(session)
    session.policies["Brainstem"] = Policy.BESIDE
    run(session)
    run(session, "Brainstem")
    segmentation = session.target.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]
    assert len(ids) == 4
    (ours,) = [i for i in ids if i.startswith("Brainstem") and i != "Brainstem"]
    assert np.array_equal(voxels(session, "Brainstem"), mine)
    assert np.array_equal(voxels(session, ours), block("Brainstem"))


def test_a_moved_box_does_not_overwrite_an_edit_by_itself(session):
    run(session)
    edited = edit(session, "Brainstem")
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    until(session, lambda: session.question)
    assert np.array_equal(voxels(session, "Brainstem"), edited)
    session.answer(None)
    for _ in range(50):
        session.tick()
        later = session.clock() + 1.0
        session.clock = lambda now=later: now
    assert session.question is None and session.corrections.stale == ("Brainstem",)


def test_undo_takes_the_whole_run_back_and_only_that(session):
    mine = foreign(session)
    assert not session.can_undo and not session.undo()
    session.run()
    session.answer(Policy.REPLACE)
    finish(session)
    assert session.can_undo and session.undo()
    assert np.array_equal(voxels(session, "Brainstem"), mine)
    assert session.rows["Parotid_L"].volume_ml is None  # its segment is gone again
    assert session.target.GetSegmentation().GetNumberOfSegments() == 1
    assert not session.can_undo


def test_a_target_under_another_transform_is_refused_at_the_target(session):
    from Testing.harness.mrml import transformed

    foreign(session)
    transformed(session.scene, session.target)
    session.policy = Policy.BESIDE
    run(session)
    assert "same transform" in session.problems.at(TARGET)
    session.target = None
    assert session.problems.at(TARGET) == ""


def test_a_removed_target_is_forgotten(session):
    run(session)
    session.scene.RemoveNode(session.target)
    assert session.target is None
    run(session)
    assert session.target.GetSegmentation().GetNumberOfSegments() == 3


def test_prepare_tells_the_device_before_the_first_run(session):
    assert session.forecast.device_text == ""
    session.warm_up.now()
    until(session, lambda: session.forecast.device_text)
    assert session.forecast.device_text == "CPU: fake, auto"


def test_the_worker_is_started_a_moment_after_scan_and_model_were_chosen(session, monkeypatch):
    monkeypatch.setattr("TwoStageSegLib.session.warm_up.AFTER_S", 0.2)
    node = session.volume_node
    for _ in range(4):  # nobody has said that it may
        session.tick()
        time.sleep(0.1)
    assert not session.link.is_running
    session.warm_up.allowed = True
    session.choose_volume(None)
    session.tick()
    session.choose_volume(node)
    session.tick()
    assert not session.link.is_running  # just chosen
    until(session, lambda: session.forecast.device_text)
    assert session.link.is_running and not session.busy
    session.link.close()
    for _ in range(4):  # once per choice: what was ended stays so
        session.tick()
        time.sleep(0.1)
    assert not session.link.is_running


def test_no_interpreter_is_a_message_at_the_button(session, tmp_path):
    from TwoStageSegLib.session import RUN, Session, SubprocessTransport

    other = Session(session.scene, SubprocessTransport(tmp_path / "no-python"))
    other.choose_model(session.entry)
    other.choose_volume(session.volume_node)
    assert not other.run() and "could not be started" in other.problems.at(RUN) and not other.busy
    other.close()


@pytest.mark.slow
def test_trained_networks_through_the_session_equal_the_pipeline(scene, scratch, tiny_bundle):
    from TwoStageSegLib.model import load_model
    from TwoStageSegLib.pipeline import Pipeline
    from TwoStageSegLib.sample.phantom import generate
    from TwoStageSegLib.session import Installed, Session, SubprocessTransport

    volume, model = generate(7, surroundings=False).volume, load_model(tiny_bundle)
    expected = Pipeline(model, "cpu").run(volume)
    session = Session(scene, SubprocessTransport())
    session.device = "cpu"
    session.choose_model(Installed(tiny_bundle, model))
    session.choose_volume(node_from_volume(scene, volume, "CT"))
    assert session.run()
    until(session, lambda: not session.busy, within_s=200)
    assert expected.located
    for organ in expected.located:
        assert organ.mask is not None
        assert np.array_equal(voxels(session, organ.organ), organ.mask.full())
    session.close()


def test_the_copy_that_is_tested_is_the_one_that_is_installed(session, tmp_path):
    source = write_fake_bundle(tmp_path / "download", "new")
    assert session.add_model_from_file(source)
    shutil.rmtree(source)  # a stick that is pulled out during the self-test
    finish(session)
    assert (tmp_path / "own" / "new" / "manifest.json").is_file()
