"""The review in the session: list, jumps, seen marks, sign-off, edits, reference; with a real worker and real nodes."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_reviews import ASKED, FIRST, FIRST_WHY, LAST
from Testing.harness.fake_system import BOXES_ZYX, fake_volume
from Testing.harness.mrml import segmentation_node
from Testing.harness.sessions import run, until
from TwoStageSegLib import __version__
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.review.findings import NO_FLAG, Basis
from TwoStageSegLib.scene import Existing, mask_from_segment, node_from_volume, put_mask, volume_from_node
from TwoStageSegLib.scene.review_plot import marked_slice
from TwoStageSegLib.scene.store import tag_of
from TwoStageSegLib.session import Change

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L")
PLANES = ("Axial", "Coronal", "Sagittal")


@pytest.fixture
def reviewed(session: Any, monkeypatch: Any) -> Any:
    """A session whose three organs have been run: each has four slices, the first and last of them flagged."""
    monkeypatch.setenv(ASKED, "1")
    for plane in PLANES:
        session.scene.AddNewNodeByClass("vtkMRMLSliceNode", plane).SetOrientation(plane)
    run(session)
    return session


def segment(session: Any, organ: str) -> Any:
    return session.target.GetSegmentation().GetSegment(session.target_for(session.volume_node).segment_of(organ))


def edit(session: Any, organ: str, extra: int = 1) -> None:
    """Draw ``extra`` more slices onto the head end of an organ, as the Segment Editor would."""
    volume = volume_from_node(session.volume_node)
    before = mask_from_segment(session.target, organ, volume)
    voxels = np.concatenate([before.voxels, *[before.voxels[-1:]] * extra])
    put_mask(session.target, replace(before, voxels=voxels), session.volume_node, Existing.REPLACE)


def settle(session: Any) -> None:
    """Half a second without an edit, then until nothing waits."""
    later = session.clock() + 1.0
    session.clock = lambda: later
    session.tick()
    until(session, lambda: not session.reviewing.outdated)


def centres(session: Any) -> list[list[float]]:
    """Where the three slice views are centred, RAS mm."""
    count = session.scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    nodes = [session.scene.GetNthNodeByClass(i, "vtkMRMLSliceNode") for i in range(count)]
    assert [n.GetOrientation() for n in nodes] == list(PLANES)
    return [[n.GetSliceToRAS().GetElement(i, 3) for i in range(3)] for n in nodes]


def test_before_a_run_there_is_nothing_to_say(session):
    reviewing = session.reviewing
    assert reviewing.findings == () and reviewing.table is None and reviewing.profile is None
    assert not reviewing.has_next and not reviewing.has_previous and reviewing.next() is None
    assert reviewing.sign_off("Brainstem") is None


def test_the_list_is_worst_first_over_all_organs(reviewed):
    reviewing = reviewed.reviewing
    found = [(f.organ, f.number, f.score) for f in reviewing.findings]
    first = [(o, BOXES_ZYX[o][0] + 1, FIRST) for o in ORGANS]
    last = [(o, BOXES_ZYX[o][0] + 4, LAST) for o in ORGANS]
    assert found == first + last
    counts = reviewing.counts()
    assert (counts.seen, counts.flagged, counts.slices) == (0, 6, 12)
    reviewing.choose("Parotid_L")
    assert [f.organ for f in reviewing.findings] == ["Parotid_L", "Parotid_L"]
    assert reviewing.counts("Parotid_L").slices == 4
    texts = [s.text for s in reviewing.profile.slices]
    assert texts[0] == FIRST_WHY[0] and texts[1:3] == [NO_FLAG, NO_FLAG]


def test_next_brings_all_three_views_there(reviewed):
    reviewing, said = reviewed.reviewing, []
    reviewed.changed.connect(said.append)
    first = reviewing.next()
    # the brainstem's block begins at voxel (8, 6, 10), so its first slice's middle is (8, 7.5, 11.5)
    x, y, z = -30 + 4 * 11.5, -20 + 4 * 7.5, 100 + 5 * 8
    assert first.centre_lps == pytest.approx((x, y, z))
    assert all(centre == pytest.approx([-x, -y, z]) for centre in centres(reviewed))
    assert reviewing.position == 0 and said == [Change.SLICE]
    assert marked_slice(reviewing.table) == 9 and reviewing.shown_organ == "Brainstem"
    assert reviewing.next().organ == "Parotid_R" and marked_slice(reviewing.table) == 11
    assert reviewing.shown_organ == "Parotid_R"  # the profile follows
    assert reviewing.previous().organ == "Brainstem" and not reviewing.has_previous
    assert reviewing.previous() is None and reviewing.position == 0
    for _ in range(5):
        assert reviewing.next() is not None
    assert not reviewing.has_next and reviewing.next() is None


def test_a_point_of_the_plot_leads_to_its_slice(reviewed):
    reviewing = reviewed.reviewing
    reviewing.choose("Parotid_L")
    names = {s.GetName(): s.GetID() for s in (reviewing.chart.GetNthPlotSeriesNode(i) for i in range(4))}
    assert reviewing.pick(names["risk"], 1)  # its second slice, which has no flag
    assert reviewing.current.number == BOXES_ZYX["Parotid_L"][0] + 2 and reviewing.position is None
    assert not reviewing.current.flagged and reviewing.has_next
    assert not reviewing.pick(names["this slice"], 0) and not reviewing.pick("nothing", 0)
    assert not reviewing.pick(names["risk"], 99)


def test_seen_is_what_a_person_says(reviewed):
    reviewing = reviewed.reviewing
    reviewing.next()
    assert reviewing.counts().seen == 0  # going there is not looking
    reviewing.mark_seen()
    assert reviewing.is_seen(reviewing.current) and reviewing.counts().seen == 1
    assert reviewing.counts("Brainstem").seen == 1 and reviewing.counts("Parotid_L").seen == 0
    assert sum(int(reviewing.table.GetCellText(r, 9)) for r in range(12)) == 1
    reviewing.mark_seen(seen=False)
    assert reviewing.counts().seen == 0
    unflagged = reviewing.profile.slices[1]
    reviewing.mark_seen(unflagged)
    assert reviewing.is_seen(unflagged) and reviewing.counts().seen == 0  # flagged ones are counted


def test_a_run_again_replaces_nodes_and_keeps_what_was_seen_of_the_same_contour(reviewed):
    reviewing, scene = reviewed.reviewing, reviewed.scene
    reviewing.next()
    reviewing.mark_seen()
    nodes = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
    table = reviewing.table.GetID()
    for _ in range(3):
        run(reviewed)
    assert {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())} == nodes
    assert reviewing.table.GetID() == table and reviewing.counts().seen == 1
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 1
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 4
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 4  # findings, profile, its flags, the line


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


def test_another_session_goes_on_where_this_one_was(reviewed):
    """As after a scene was loaded: nodes are there, nobody remembers."""
    reviewing = reviewed.reviewing
    reviewing.mark_seen(reviewing.findings[0])
    reviewing.sign_off("Brainstem")
    before, volume_node, target = reviewing.book, reviewed.volume_node, reviewed.target
    reviewed.forget_scene()
    assert reviewing.findings == ()
    reviewed.choose_volume(volume_node)
    assert reviewed.target is target
    assert [r.slices for r in reviewing.book.reviews] == [r.slices for r in before.reviews]
    assert reviewing.book.seen == before.seen and reviewing.signed("Brainstem") is not None
    settle(reviewed)
    assert reviewing.book.voxels == before.voxels and not reviewing.outdated


def test_a_saved_scene_brings_list_plot_and_seen_marks_back(reviewed, tmp_path):
    reviewing, scene = reviewed.reviewing, reviewed.scene
    reviewing.mark_seen(reviewing.findings[2])
    reviewing.sign_off("Parotid_L")
    before = [(f.organ, f.number, f.text, reviewing.is_seen(f)) for f in reviewing.findings]
    points = [f.centre_lps for f in reviewing.findings]
    assert scene.WriteToMRB(str(tmp_path / "saved.mrb"))
    scene.Clear(False)
    zipfile.ZipFile(tmp_path / "saved.mrb").extractall(tmp_path)
    (file,) = tmp_path.rglob("*.mrml")
    scene.SetURL(str(file))
    assert scene.Connect()
    reviewed.choose_volume(scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode"))
    assert [(f.organ, f.number, f.text, reviewing.is_seen(f)) for f in reviewing.findings] == before
    for finding, point in zip(reviewing.findings, points, strict=True):
        assert finding.centre_lps == pytest.approx(point, abs=0.001)
    table = reviewing.table
    kinds = {table.GetColumnName(c): table.GetTable().GetColumn(c).GetDataTypeAsString() for c in range(10)}
    assert kinds["organ"] == kinds["flag"] == "string" and kinds["slice"] == "int"
    assert kinds["S mm"] == kinds["score"] == kinds["area mm2"] == "double" and kinds["seen"] == "bit"
    assert reviewing.chart.GetNumberOfPlotSeriesNodes() == 4
    assert reviewing.signed("Parotid_L").seen == "1/2"
    settle(reviewed)
    assert reviewing.outdated == () and reviewing.signed("Parotid_L") is not None  # the voxels are what was judged
    nodes = scene.GetNumberOfNodes()
    run(reviewed)
    assert scene.GetNumberOfNodes() == nodes
    scene.SetURL("")


def test_another_scan_has_no_findings(reviewed):
    first = reviewed.volume_node
    reviewed.choose_volume(node_from_volume(reviewed.scene, fake_volume(), "CT 2"))
    assert reviewed.reviewing.findings == () and reviewed.reviewing.table is None
    reviewed.choose_volume(first)
    assert len(reviewed.reviewing.findings) == 6


def test_with_a_reference_the_findings_are_errors(reviewed):
    reviewing = reviewed.reviewing
    volume = volume_from_node(reviewed.volume_node)
    reference = segmentation_node(reviewed.scene)
    # the brainstem, two slices further up; the right parotid under another name, exactly; nothing for the left one
    z, y, x = BOXES_ZYX["Brainstem"]
    stem = Mask("Brainstem", np.ones((4, 4, 4), bool), (z + 2, y, x), volume.geometry)
    put_mask(reference, stem, reviewed.volume_node)
    block = Mask("Parotid_R", np.ones((4, 4, 4), bool), BOXES_ZYX["Parotid_R"], volume.geometry)
    put_mask(reference, block, reviewed.volume_node)
    reference.GetSegmentation().GetSegment("Parotid_R").SetName("right parotid gland")  # told by its code
    suspicion = reviewing.book
    reviewing.compare_with(reviewed.target)
    assert reviewing.reference is None and "another segmentation" in reviewing.message
    reviewing.compare_with(reference)
    for _ in range(3):
        reviewed.tick()
    bases = {r.organ: r.basis for r in reviewing.book.reviews}
    assert bases == {"Brainstem": Basis.REFERENCE, "Parotid_R": Basis.REFERENCE, "Parotid_L": Basis.SUSPICION}
    found = {s.number: s.dice for s in reviewing.book.of("Brainstem").slices}
    assert found == {9: 0.0, 10: 0.0, 11: 1.0, 12: 1.0, 13: 0.0, 14: 0.0}  # two extra, two right, two missing
    assert len(reviewing.book.of("Brainstem").flagged) == 4 and reviewing.book.of("Parotid_R").flagged == ()
    reviewing.choose("Brainstem")
    assert reviewing.chart.GetNthPlotSeriesNode(1).GetName() == "Dice"
    edit(reviewed, "Brainstem", 2)  # now it covers the reference's four slices
    settle(reviewed)
    assert [s.number for s in reviewing.book.of("Brainstem").flagged] == [9, 10]
    reviewing.compare_with(None)
    settle(reviewed)
    assert {r.basis for r in reviewing.book.reviews} == {Basis.SUSPICION}
    assert reviewing.book.of("Parotid_R") == suspicion.of("Parotid_R")
    until(reviewed, lambda: len(reviewing.book.of("Brainstem").slices) == 6)


def test_a_reference_that_is_deleted_is_no_reference(reviewed):
    reference = segmentation_node(reviewed.scene)
    volume = volume_from_node(reviewed.volume_node)
    put_mask(reference, Mask("Brainstem", np.ones((4, 4, 4), bool), (2, 2, 2), volume.geometry), reviewed.volume_node)
    reviewed.reviewing.compare_with(reference)
    reviewed.tick()
    reviewed.scene.RemoveNode(reference)
    assert reviewed.reviewing.reference is None
    assert {r.basis for r in reviewed.reviewing.book.reviews} == {Basis.SUSPICION}


def test_a_thousand_slices_are_one_cheap_jump_each(reviewed):
    """No timing here (Testing/benchmarks/review_jump.py has it): a jump must not write the table again."""
    from Testing.harness.fake_reviews import long_review

    reviewing = reviewed.reviewing
    book = reviewing.book.with_review(long_review("Brainstem", 1000), reviewing.book.voxels["Brainstem"])
    reviewing.put(reviewed.target, reviewed.volume_node, book)
    content = reviewing.table.GetTable()
    for _ in range(20):
        reviewing.next()
        reviewing.mark_seen()
    assert reviewing.table.GetTable() is content
    assert reviewing.counts("Brainstem").seen + reviewing.counts("Parotid_R").seen >= 19
