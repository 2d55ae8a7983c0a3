"""The list of findings in the session: order, jumps, seen marks, reference; a real worker, real nodes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_reviews import FIRST, FIRST_WHY, LAST
from Testing.harness.fake_system import BOXES_ZYX
from Testing.harness.mrml import segmentation_node
from Testing.harness.reviewing import ORGANS, centres, edit, settle
from Testing.harness.sessions import run, until
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.review.findings import NO_FLAG, Basis
from TwoStageSegLib.scene import put_mask, volume_from_node
from TwoStageSegLib.scene.review_plot import marked_slice
from TwoStageSegLib.session import Change


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
