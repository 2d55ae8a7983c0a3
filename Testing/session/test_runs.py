"""Runs: what arrives in the scene, corrections that redo one organ alone, cancel, crash, close."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_system import BOXES_ZYX, STALL, fake_volume
from Testing.harness.sessions import finish, pid_of, run, shifted, until
from Testing.harness.workers import POSIX, entered, gone, until_entered
from TwoStageSegLib.region import Region, Source
from TwoStageSegLib.scene import mask_from_segment, node_from_volume, volume_from_node
from TwoStageSegLib.scene.store import tag_of
from TwoStageSegLib.session import MODEL, RUN, Note, RowStatus

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L")
STAGES = ("load", "locate", "segment-Parotid_R")


def voxels(session: Any, segment_id: str) -> np.ndarray:
    return mask_from_segment(session.target, segment_id, volume_from_node(session.volume_node)).full()


def block(organ: str) -> np.ndarray:
    full = np.zeros((24, 24, 28), bool)
    z, y, x = BOXES_ZYX[organ]
    full[z : z + 4, y : y + 4, x : x + 4] = True
    return full


def test_a_run_brings_segments_boxes_and_words(session):
    assert session.target is None and session.can_run and session.forecast.seconds is None
    run(session)
    for organ in ORGANS:
        assert np.array_equal(voxels(session, organ), block(organ))
        assert session.rows[organ].status is RowStatus.LOCATED and session.rows[organ].score == 1.0
        assert session.rows[organ].volume_ml == pytest.approx(64 * 4 * 4 * 5 / 1000)
    assert session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 3
    assert session.runs.outcome == "Done." and session.forecast.device_text == "CPU: fake, auto"
    segment = session.target.GetSegmentation().GetSegment("Brainstem")
    assert tag_of(segment, "TwoStageSeg.Source") == "auto"


def test_the_estimate_is_measured_and_survives(session, tmp_path):
    from TwoStageSegLib.session.timings import Timings

    run(session)
    warm = session.forecast.seconds
    assert warm is not None and warm < 1
    session.link.close()
    assert session.forecast.seconds > warm  # the process has to start again
    stored = Timings(tmp_path / "timings.json").of(session.model.sha256, "auto")
    assert stored is not None and stored.device == "CPU: fake, auto" and stored.load > 0.01


def test_an_organ_that_is_not_there_is_said_to_be_missing(session):
    session.choose_volume(node_from_volume(session.scene, fake_volume(["Brainstem", "Parotid_R"]), "CT 2"))
    run(session)
    row = session.rows["Parotid_L"]
    assert row.status is RowStatus.NOT_LOCATED and row.volume_ml is None
    assert session.runs.outcome == "2 of 3 organs segmented. Not located: Parotid_L."
    assert session.target.GetSegmentation().GetSegment("Parotid_L") is None
    assert session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 2


def test_a_dragged_box_redoes_its_organ_alone(session, tmp_path):
    run(session)
    before = {o: voxels(session, o) for o in ORGANS}
    node = session.markers.node_of(session.volume_node.GetID(), "Parotid_R")
    node.InvokeEvent(node.PointStartInteractionEvent)
    centre = np.array(node.GetCenter())
    node.SetCenter(*(centre - (8.0, 0, 0)))  # two voxels towards larger LPS x
    assert session.rows["Parotid_R"].remark is Note.MOVED
    assert session.rows["Parotid_R"].status is RowStatus.YOUR_BOX
    for _ in range(60):
        session.tick()
        later = session.clock() + 1.0
        session.clock = lambda now=later: now  # a second later, and the button is still down
    assert not session.busy
    node.InvokeEvent(node.PointEndInteractionEvent)
    until(session, lambda: session.busy)
    assert session.runs.job.organs == ("Parotid_R",)
    finish(session)
    expected = block("Parotid_R")
    expected[..., :5] = False  # the box began at index 2.5, half a voxel and one before the block; now at 4.5
    assert np.array_equal(voxels(session, "Parotid_R"), expected)
    assert np.array_equal(voxels(session, "Parotid_L"), before["Parotid_L"])
    assert entered(tmp_path).count("locate") == 1 and entered(tmp_path).count("segment-Brainstem") == 1
    assert not session.corrections.stale


def test_without_auto_rerun_the_user_asks(session):
    run(session)
    session.corrections.auto_rerun = False
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    for _ in range(5):
        session.tick()
    assert not session.busy and session.corrections.stale == ("Brainstem",)
    assert session.corrections.redo()
    finish(session)
    assert session.rows["Brainstem"].status is RowStatus.YOUR_CLICK


def test_a_click_places_the_centre_and_auto_again_forgets_it(session):
    run(session)
    node = session.corrections.click_centre("Parotid_L")
    assert session.corrections.placing == "Parotid_L"
    node.AddControlPoint(-48.0, -18.0, 157.5)  # RAS of voxel (11.5, 9.5, 19.5), its block's middle
    assert session.corrections.placing == "" and session.rows["Parotid_L"].region.source is Source.CLICK
    until(session, lambda: session.busy)
    finish(session)
    assert np.array_equal(voxels(session, "Parotid_L"), block("Parotid_L"))
    assert session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 2
    session.corrections.auto_again("Parotid_L")
    assert session.rows["Parotid_L"].remark is Note.REDO
    until(session, lambda: session.busy)
    finish(session)
    assert session.rows["Parotid_L"].status is RowStatus.LOCATED
    assert session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


def test_a_drawn_box_bounds_the_organ(session):
    import vtk

    node = session.corrections.draw_box("Parotid_L")
    node.AddControlPoint(vtk.vtkVector3d(-30, -10, 140))
    assert session.rows["Parotid_L"].region is None  # one corner is no box
    node.AddControlPoint(vtk.vtkVector3d(-50, -30, 180))
    until(session, lambda: session.busy)
    finish(session)
    assert session.rows["Parotid_L"].status is RowStatus.YOUR_BOX
    expected = block("Parotid_L")
    expected[..., 21:] = False  # voxel 21 lies at x = -30 + 21 * 4 = 54, beyond the box's 50
    assert np.array_equal(voxels(session, "Parotid_L"), expected)


def test_what_was_begun_to_be_placed_is_taken_away(session):
    session.corrections.click_centre("Parotid_L")
    session.corrections.draw_box("Brainstem")
    assert session.corrections.placing == "Brainstem"
    session.corrections.stop_placing()
    assert session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsNode") == 0


def test_a_point_outside_the_scan_gets_a_message_and_no_run(session):
    session.corrections.set_region(Region.click("Brainstem", (500, 0, 150)))
    assert session.problems.at("Brainstem").endswith("lies outside the image. Move it.")
    for _ in range(50):
        session.tick()
        later = session.clock() + 1.0
        session.clock = lambda now=later: now
    assert not session.busy
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    assert session.problems.at("Brainstem") == ""


def test_a_deleted_box_is_forgotten(session):
    run(session)
    node = session.markers.node_of(session.volume_node.GetID(), "Brainstem")
    session.scene.RemoveNode(node)
    assert session.rows["Brainstem"].status is RowStatus.NOT_RUN


def test_go_to_centres_the_slice_views(session):
    view = session.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    assert not session.corrections.go_to("Brainstem")
    run(session)
    assert session.corrections.go_to("Brainstem")
    x, y, z = session.rows["Brainstem"].region.centre_lps
    matrix = view.GetSliceToRAS()
    assert [matrix.GetElement(i, 3) for i in range(3)] == pytest.approx([-x, -y, z])


def test_under_a_parent_transform_everything_stays_together(session):
    from Testing.harness.mrml import transformed

    transformed(session.scene, session.volume_node)
    run(session)
    for organ in ORGANS:
        assert np.array_equal(voxels(session, organ), block(organ))
    row = session.rows["Brainstem"]
    volume = volume_from_node(session.volume_node)
    index = volume.geometry.lps_to_index(row.region.centre_lps)
    assert index == pytest.approx(np.array(BOXES_ZYX["Brainstem"]) + 1.5)
    assert session.target.GetTransformNodeID() == session.volume_node.GetTransformNodeID()


def test_a_volume_that_was_moved_is_handed_over_again(session, tmp_path):
    from Testing.harness.mrml import transformed

    run(session)
    transformed(session.scene, session.volume_node)
    session.target = None
    run(session)
    assert entered(tmp_path).count("locate") == 2 and entered(tmp_path).count("load") == 1
    assert np.array_equal(voxels(session, "Brainstem"), block("Brainstem"))


def test_two_volumes_in_turn_keep_their_own_regions(session, tmp_path):
    run(session)
    first, target = session.volume_node, session.target
    other = node_from_volume(session.scene, shifted(fake_volume(["Brainstem"]), (100, 0, 0)), "CT 2")
    session.choose_volume(other)
    session.target = None
    assert session.rows["Brainstem"].status is RowStatus.NOT_RUN
    run(session)
    assert session.rows["Parotid_L"].status is RowStatus.NOT_LOCATED
    box = session.markers.node_of(first.GetID(), "Brainstem")
    assert box.GetDisplayVisibility() == 0
    session.choose_volume(first)
    assert session.rows["Parotid_L"].status is RowStatus.LOCATED and box.GetDisplayVisibility() == 1
    session.target = target
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    until(session, lambda: session.busy)
    finish(session)
    assert entered(tmp_path).count("load") == 1


@pytest.mark.parametrize("stage", STAGES)
def test_cancel_in_every_stage_writes_nothing(session, monkeypatch, tmp_path, stage):
    monkeypatch.setenv(STALL, f"{stage}=30")
    assert session.run()
    pid = pid_of(session)
    until_entered(tmp_path, stage)
    session.cancel()
    assert session.link.cancelling
    finish(session)
    assert session.runs.outcome == "Cancelled. Nothing was changed." and session.problems.places == ()
    assert session.target is None and session.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    assert all(row.status is RowStatus.NOT_RUN for row in session.rows.values())
    assert gone(pid)
    monkeypatch.delenv(STALL)
    run(session)
    assert np.array_equal(voxels(session, "Brainstem"), block("Brainstem"))


@POSIX
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_worker_is_a_message_and_the_next_run_works(session, monkeypatch, tmp_path, stage):
    monkeypatch.setenv(STALL, f"{stage}=30")
    assert session.run()
    until_entered(tmp_path, stage)
    os.kill(pid_of(session), signal.SIGKILL)
    finish(session)
    assert "killed by SIGKILL" in session.problems.at(RUN) and "memory" in session.problems.at(RUN)
    monkeypatch.delenv(STALL)
    run(session)
    assert session.problems.places == ()


def test_a_model_that_cannot_be_loaded_says_so_at_the_model(session, monkeypatch):
    monkeypatch.setenv(STALL, "self_test=raise")
    assert session.run()
    finish(session)
    assert "RuntimeError" in session.problems.at(MODEL) and "/" not in session.problems.at(MODEL)
    monkeypatch.delenv(STALL)
    session.link.close()  # the worker read its environment when it started
    run(session)
    assert session.problems.at(MODEL) == ""


@pytest.mark.parametrize("stage", STAGES)
def test_closing_the_scene_ends_the_worker(session, monkeypatch, tmp_path, stage):
    monkeypatch.setenv(STALL, f"{stage}=30")
    assert session.run()
    pid = pid_of(session)
    until_entered(tmp_path, stage)
    session.scene.Clear(False)
    assert gone(pid) and not session.busy and session.volume_node is None and session.target is None
    session.tick()
    session.choose_volume(node_from_volume(session.scene, fake_volume(), "next"))
    monkeypatch.delenv(STALL)
    run(session)
    assert np.array_equal(voxels(session, "Brainstem"), block("Brainstem"))


def test_removing_the_volume_during_a_run_stops_it(session, monkeypatch, tmp_path):
    monkeypatch.setenv(STALL, "locate=30")
    assert session.run()
    until_entered(tmp_path, "locate")
    session.scene.RemoveNode(session.volume_node)
    assert not session.busy and session.volume_node is None
    assert "was removed" in session.problems.at(RUN)


def test_thirty_runs_leave_no_node_and_no_file(session, scratch):
    run(session)
    nodes = session.scene.GetNumberOfNodes()
    for number in range(30):
        session.corrections.set_region(Region.click("Brainstem", (16 + number / 10, 10, 147)))
        session.corrections.hold_back()
        assert session.corrections.redo()
        finish(session)
    # the organ's box has become a point: one node less, one more, and their display nodes
    assert abs(session.scene.GetNumberOfNodes() - nodes) <= 1
    (folder,) = scratch.iterdir()
    assert list(folder.iterdir()) == []


def test_the_log_holds_no_name_of_a_scan(session):
    session.volume_node.SetName("DOE^JANE")
    run(session)
    assert "run 1" in session.log.text and "JANE" not in session.log.text
