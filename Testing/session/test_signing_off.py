"""A sign-off is written into the segment, and no edit outlives it unnoticed."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.reviewing import edit, segment, settle
from Testing.harness.sessions import until
from TwoStageSegLib import __version__
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene.store import tag_of
from TwoStageSegLib.session.results import save_report


def test_sign_off_is_written_into_the_segment(reviewed, tmp_path, mini):
    reviewing = reviewed.reviewing
    reviewing.mark_seen(reviewing.findings[0])
    made = reviewing.sign_off("Brainstem")
    assert made == reviewing.signed("Brainstem") and reviewing.signed("Parotid_L") is None
    assert (made.seen, made.tool) == ("1/2", f"twostageseg {__version__}")
    assert made.when.endswith("Z") and len(made.when) == len("2026-01-31T12:00:00Z")
    assert mini.save_segmentation(reviewed.target, tmp_path / "saved.seg.nrrd")
    header = (tmp_path / "saved.seg.nrrd").read_bytes().split(b"\n\n")[0].decode()
    assert f"TwoStageSeg.SignedOff:{made.when}|" in header and "TwoStageSeg.SignedOffSeen:1/2|" in header
    loaded = mini.load_segmentation(tmp_path / "saved.seg.nrrd").GetSegmentation().GetSegment("Brainstem")
    assert tag_of(loaded, "TwoStageSeg.SignedOff") == made.when
    record = json.loads(tag_of(loaded, "TwoStageSeg.Audit"))
    assert record["organs"]["Brainstem"]["signed_off"]["flagged_slices_seen"] == "1/2"


def test_an_edit_withdraws_the_sign_off_and_says_so(reviewed):
    reviewing = reviewed.reviewing
    reviewing.sign_off("Brainstem")
    reviewing.sign_off("Parotid_L")
    edit(reviewed, "Brainstem")
    later = reviewed.clock() + 1.0
    reviewed.clock = lambda: later
    said = []
    reviewed.changed.connect(lambda change: said.append(reviewing.message))
    reviewed.tick()
    assert any("the sign-off is withdrawn" in text for text in said) and "withdrawn" in reviewed.log.text
    assert reviewing.signed("Brainstem") is None and reviewing.signed("Parotid_L") is not None
    assert tag_of(segment(reviewed, "Brainstem"), "TwoStageSeg.SignOffWithdrawn").endswith("Z")
    until(reviewed, lambda: not reviewing.outdated)
    assert reviewing.sign_off("Brainstem").seen == "0/2"
    assert tag_of(segment(reviewed, "Brainstem"), "TwoStageSeg.SignOffWithdrawn") == ""


def test_a_sign_off_does_not_outrun_an_edit(reviewed):
    """Signed in the half second before an edit is looked at: what is signed must be what is there."""
    edit(reviewed, "Brainstem")
    assert reviewed.reviewing.sign_off("Brainstem") is None
    assert reviewed.reviewing.signed("Brainstem") is None


def test_a_run_withdraws_the_sign_off_of_what_it_changes(reviewed):
    reviewed.reviewing.sign_off("Brainstem")
    reviewed.corrections.set_region(Region.box("Brainstem", (12.0, 30.0, 0.0, 20.0, 130.0, 152.0)))
    reviewed.corrections.redo()
    until(reviewed, lambda: not reviewed.busy)
    settle(reviewed)
    assert reviewed.reviewing.signed("Brainstem") is None
    assert len(reviewed.reviewing.book.of("Brainstem").slices) == 3  # z 140, 145, 150


def test_the_report_of_the_page_says_what_was_signed_off(reviewed, tmp_path):
    save_report(reviewed, tmp_path / "before.html")
    made = reviewed.reviewing.sign_off("Brainstem")
    save_report(reviewed, tmp_path / "after.html")
    assert made.when in (tmp_path / "after.html").read_text("utf-8")
    assert "flagged_slices_seen" in (tmp_path / "after.html").read_text("utf-8")
    assert "flagged_slices_seen" not in (tmp_path / "before.html").read_text("utf-8")
