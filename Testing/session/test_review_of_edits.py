"""What an edit, an undo or a removal means for the findings."""

from __future__ import annotations

import json
import time

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_reviews import ASKED
from Testing.harness.reviewing import edit, segment, settle
from Testing.harness.sessions import run, until
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene.store import tag_of


def test_an_edit_redoes_the_findings_of_that_organ_alone(reviewed):
    reviewing = reviewed.reviewing
    others = [r for r in reviewing.book.reviews if r.organ != "Parotid_R"]
    for finding in reviewing.findings:
        reviewing.mark_seen(finding)
    edit(reviewed, "Parotid_R")
    reviewed.tick()
    assert reviewing.outdated == ()  # the hand may still be moving
    settle(reviewed)
    review = reviewing.book.of("Parotid_R")
    assert [s.number for s in review.slices] == [11, 12, 13, 14, 15]
    assert [s.number for s in review.flagged] == [11, 15]
    assert [r for r in reviewing.book.reviews if r.organ != "Parotid_R"] == others
    # slice 11 is as it was and was flagged; 15 is new
    assert [reviewing.is_seen(f) for f in review.flagged] == [True, False]
    assert reviewing.counts().seen == 5
    assert "computed again" in reviewing.message
    record = json.loads(tag_of(segment(reviewed, "Parotid_R"), "TwoStageSeg.Audit"))["organs"]["Parotid_R"]
    assert record["edits"] == {"voxels_added": 16, "voxels_removed": 0}
    assert [f["slice"] for f in record["flags"]["flagged"]] == [11, 15]


def test_an_edit_while_the_model_is_another_says_so(reviewed):
    segment(reviewed, "Brainstem").SetTag("TwoStageSeg.ModelSha256", "of another model")
    edit(reviewed, "Brainstem")
    later = reviewed.clock() + 1.0
    reviewed.clock = lambda: later
    reviewed.tick()
    assert reviewed.reviewing.outdated == ("Brainstem",)
    assert "contour before" in reviewed.reviewing.message
    assert not reviewed.reviewing.can_sign_off("Brainstem")


def test_a_review_that_fails_leaves_the_run_and_says_so(session, monkeypatch):
    monkeypatch.setenv(ASKED, "break")
    run(session)
    edit(session, "Brainstem")
    later = session.clock() + 1.0
    session.clock = lambda: later
    until(session, lambda: "could not be judged again" in session.reviewing.message)
    assert session.reviewing.outdated == ("Brainstem",) and session.problems.places == ()
    assert len(session.reviewing.book.of("Brainstem").slices) == 4  # of the contour before
    run(session, "Parotid_L")
    assert session.problems.places == () and session.runs.outcome == "Done."


def test_a_cancelled_run_does_not_lose_an_edit(session, monkeypatch):
    """Cancelling ends a worker that does not obey, and with it the judgement that it was at."""
    monkeypatch.setenv(ASKED, "stall")
    run(session)
    edit(session, "Brainstem")
    later = session.clock() + 1.0
    session.clock = lambda: later
    until(session, lambda: session.reviewing.outdated == ("Brainstem",))
    assert session.run(["Parotid_L"])
    session.clock = time.monotonic
    monkeypatch.setenv(ASKED, "1")
    session.cancel()
    until(session, lambda: not session.busy)
    until(session, lambda: len(session.reviewing.book.of("Brainstem").slices) == 5)
    assert session.reviewing.outdated == ()


def test_undo_brings_the_findings_back(reviewed):
    reviewing = reviewed.reviewing
    reviewed.corrections.set_region(Region.box("Brainstem", (12.0, 30.0, 0.0, 20.0, 130.0, 152.0)))
    reviewed.corrections.redo()
    until(reviewed, lambda: not reviewed.busy)
    assert len(reviewing.book.of("Brainstem").slices) == 3
    assert reviewed.undo()
    settle(reviewed)
    until(reviewed, lambda: len(reviewing.book.of("Brainstem").slices) == 4)
    assert reviewed.undo()  # the first run
    settle(reviewed)
    assert reviewing.organs == () and reviewing.table is None
    assert reviewed.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert reviewed.scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 0


def test_a_removed_segment_takes_its_findings_along(reviewed):
    reviewed.target.GetSegmentation().RemoveSegment("Parotid_R")
    settle(reviewed)
    assert reviewed.reviewing.organs == ("Brainstem", "Parotid_L")
    assert "no contour any more" in reviewed.reviewing.message


def test_a_removed_segmentation_takes_its_review_along(reviewed):
    reviewed.scene.RemoveNode(reviewed.target)
    assert reviewed.reviewing.findings == ()
    for name in ("Table", "PlotChart", "PlotSeries"):
        assert reviewed.scene.GetNumberOfNodesByClass(f"vtkMRML{name}Node") == 0
