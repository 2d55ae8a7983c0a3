"""The review section as a user works it: list, keys, seen, plot, reference, sign-off; on the real scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_reviews import ASKED, FIRST_WHY, LAST_WHY, long_review
from Testing.harness.fake_system import BOXES_ZYX
from Testing.harness.module import PANEL_PX, node_ids
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene import put_mask, volume_from_node
from TwoStageSegLib.scene.review_plot import marked_slice

PLANES = ("Axial", "Coronal", "Sagittal")


@pytest.fixture
def reviewed(ready: Any, monkeypatch: Any) -> Iterator[Any]:
    """The panel after a run of three organs, of which the first and the last slice are flagged."""
    monkeypatch.setenv(ASKED, "1")
    ready.run()
    yield ready


def rows(panel: Any) -> list[tuple[str, ...]]:
    table = panel.ui.reviewTable
    return [tuple(table.item(r, c).text() for c in range(5)) for r in range(table.rowCount)]


def selected(panel: Any) -> list[int]:
    return sorted({index.row() for index in panel.ui.reviewTable.selectionModel().selectedRows()})


def test_before_a_run_the_section_says_so(ready: Any) -> None:
    assert ready.ui.reviewHeading.text == "Nothing has been reviewed yet."
    assert ready.ui.reviewTable.rowCount == 0 and not ready.ui.profileFrame.visible
    for name in ("nextButton", "previousButton", "seenBox", "signOffButton", "reportButton"):
        assert not getattr(ready.ui, name).enabled


def test_after_a_run_the_worst_slices_are_listed(reviewed: Any) -> None:
    ui = reviewed.ui
    assert ui.reviewHeading.text == "6 of 12 slices to look at · 0 seen"
    assert rows(reviewed)[0] == ("9", "Brainstem", FIRST_WHY[0], "0.90", "")
    assert rows(reviewed)[3] == ("12", "Brainstem", "; ".join(LAST_WHY), "0.60", "")
    assert ui.profileFrame.visible and not ui.reviewMessage.visible
    assert [ui.reviewOrganSelector.itemText(i) for i in range(4)] == [
        "All organs",
        "Brainstem (2)",
        "Parotid_R (2)",
        "Parotid_L (2)",
    ]
    assert reviewed.minimum_width() <= 360


@pytest.mark.parametrize("way", ["key", "row"])
def test_next_takes_all_views_the_row_and_the_line_there(reviewed: Any, mini: Any, way: str) -> None:
    views = [mini.scene.AddNewNodeByClass("vtkMRMLSliceNode", plane) for plane in PLANES]
    for view, plane in zip(views, PLANES, strict=True):
        view.SetOrientation(plane)
    if way == "key":
        reviewed.click(reviewed.ui.nextButton)
        reviewed.press("Alt+Right")
    else:
        reviewed.ui.reviewTable.setCurrentCell(1, 2)
        reviewed.process_events()
    # Parotid_R's block begins at voxel (10, 8, 4): the middle of its first slice is (10, 9.5, 5.5)
    expected = [-(-30 + 4 * 5.5), -(-20 + 4 * 9.5), 100 + 5 * 10]
    for view in views:
        assert [view.GetSliceToRAS().GetElement(i, 3) for i in range(3)] == pytest.approx(expected)
    assert selected(reviewed) == [1]
    assert marked_slice(reviewed.session.reviewing.table) == 11
    assert reviewed.ui.sliceText.text == f"Slice 11, Parotid_R: {FIRST_WHY[0]} · 256 mm²"
    assert reviewed.ui.previousButton.enabled
    reviewed.press("Alt+Left")
    assert selected(reviewed) == [0] and not reviewed.ui.previousButton.enabled
    for view in views:
        mini.scene.RemoveNode(view)


def test_seen_is_ticked_by_box_and_key(reviewed: Any) -> None:
    reviewed.press("Alt+S")  # no slice is shown
    assert "0 seen" in reviewed.ui.reviewHeading.text
    reviewed.click(reviewed.ui.nextButton)
    reviewed.click(reviewed.ui.seenBox)
    assert rows(reviewed)[0][4] == "seen" and "1 seen" in reviewed.ui.reviewHeading.text
    reviewed.click(reviewed.ui.nextButton)
    assert not reviewed.ui.seenBox.checked
    reviewed.press("Alt+S")
    assert reviewed.ui.seenBox.checked and "2 seen" in reviewed.ui.reviewHeading.text
    reviewed.press("Alt+S")
    assert rows(reviewed)[1][4] == "" and "1 seen" in reviewed.ui.reviewHeading.text


def test_one_organ_can_be_chosen(reviewed: Any) -> None:
    reviewed.ui.reviewOrganSelector.setCurrentIndex(3)
    reviewed.ui.reviewOrganSelector.activated.emit(3)
    reviewed.process_events()
    assert [r[1] for r in rows(reviewed)] == ["Parotid_L", "Parotid_L"]
    assert reviewed.ui.reviewHeading.text == "2 of 4 slices to look at · 0 seen"
    assert reviewed.ui.signOffButton.text == "Sign off Parotid_L (0 of 2 seen)"


def test_a_click_on_the_plot_goes_there(reviewed: Any) -> None:
    from PySide6 import QtCore, QtGui

    view = reviewed.widget.panel.review.profile._view
    chart = reviewed.session.reviewing.chart
    series = next(s for s in map(chart.GetNthPlotSeriesNode, range(4)) if s.GetName() == "risk")
    place = view._points(series)[2]
    kind, button = QtCore.QEvent.Type.MouseButtonPress, QtCore.Qt.MouseButton.LeftButton
    view.mousePressEvent(QtGui.QMouseEvent(kind, place, place, button, button, QtCore.Qt.KeyboardModifier.NoModifier))
    reviewed.process_events()
    assert reviewed.ui.sliceText.text.startswith("Slice 11, Brainstem: no flag")
    assert selected(reviewed) == []


def test_sign_off_and_its_withdrawal_are_said(reviewed: Any) -> None:
    ui = reviewed.ui
    reviewed.click(ui.nextButton)
    reviewed.click(ui.seenBox)
    assert ui.signOffButton.text == "Sign off Brainstem (1 of 2 seen)"
    reviewed.click(ui.signOffButton)
    assert ui.signedText.visible and "1/2 flagged slices seen" in ui.signedText.text
    node = reviewed.session.target
    volume = volume_from_node(reviewed.session.volume_node)
    z, y, x = BOXES_ZYX["Brainstem"]
    edited = Mask("Brainstem", np.ones((5, 4, 4), bool), (z, y, x), volume.geometry)
    put_mask(node, edited, reviewed.session.volume_node)
    reviewed.until(lambda: reviewed.session.reviewing.counts("Brainstem").slices == 5, 20)
    reviewed.process_events()
    assert "the sign-off is withdrawn" in ui.logText.plainText
    assert "computed again" in ui.reviewMessage.text and ui.reviewMessage.visible
    assert not ui.signedText.visible and ui.signOffButton.enabled


def test_a_reference_turns_risks_into_dice(reviewed: Any) -> None:
    session = reviewed.session
    volume = volume_from_node(session.volume_node)
    reference = reviewed.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Reference")
    z, y, x = BOXES_ZYX["Brainstem"]
    stem = Mask("Brainstem", np.ones((4, 4, 4), bool), (z + 2, y, x), volume.geometry)
    put_mask(reference, stem, session.volume_node)
    reviewed.ui.referenceSelector.setCurrentNode(reference)
    reviewed.until(lambda: len(rows(reviewed)) == 8, 20)
    found = rows(reviewed)
    assert reviewed.ui.reviewTable.horizontalHeaderItem(3).text() == "Dice"
    assert [r[3] for r in found if r[1] == "Brainstem"] == ["0.00"] * 4
    assert next(r[3] for r in found if r[1] == "Parotid_L") == "risk 0.90"
    assert any(r[2].startswith("missing") for r in found) and any(r[2].startswith("extra") for r in found)
    reviewed.ui.referenceSelector.setCurrentNode(None)
    reviewed.until(lambda: len(rows(reviewed)) == 6, 20)
    assert reviewed.ui.reviewTable.horizontalHeaderItem(3).text() == "Risk"


def test_the_report_is_saved_where_asked(reviewed: Any, slicer_host: Any, tmp_path: Any) -> None:
    target = tmp_path / "report.html"
    slicer_host.dialogs.answer("")  # called off
    reviewed.click(reviewed.ui.reportButton)
    assert not target.exists()
    slicer_host.dialogs.answer(str(target))
    reviewed.click(reviewed.ui.reportButton)
    page = target.read_text(encoding="utf-8")
    assert "Parotid_L" in page and FIRST_WHY[0] in page and "Research" in page
    assert slicer_host.dialogs.texts("error") == []


def test_a_report_that_cannot_be_written_says_why_and_leaves_nothing(
    reviewed: Any, slicer_host: Any, tmp_path: Any
) -> None:
    slicer_host.dialogs.answer(str(tmp_path / "missing" / "report.html"))
    reviewed.click(reviewed.ui.reportButton)
    assert "missing" in slicer_host.dialogs.texts("error")[0]
    assert list(tmp_path.rglob("*.html*")) == []


def test_nothing_moves_and_no_node_is_left_over(reviewed: Any) -> None:
    reviewed.panel.resize(PANEL_PX, 1400)  # a panel as high as what is in it, as in Slicer, where it scrolls
    reviewed.process_events()
    nodes, names = node_ids(reviewed.scene), ("nextButton", "reviewTable", "profileFrame", "signOffButton")
    places = {name: getattr(reviewed.ui, name).geometry for name in names}
    for _ in range(3):
        reviewed.run()
    reviewed.click(reviewed.ui.nextButton)
    reviewed.click(reviewed.ui.signOffButton)
    assert node_ids(reviewed.scene) == nodes
    assert {name: getattr(reviewed.ui, name).geometry for name in names} == places


def test_the_scene_may_be_closed_and_another_reviewed(reviewed: Any, mini: Any) -> None:
    from Testing.harness.fake_system import fake_volume
    from TwoStageSegLib.scene import node_from_volume

    mini.scene.Clear(False)
    reviewed.process_events(0.2)
    assert reviewed.ui.reviewTable.rowCount == 0 and not reviewed.ui.profileFrame.visible
    reviewed.choose(node_from_volume(mini.scene, fake_volume(), "next"))
    reviewed.run()
    assert reviewed.ui.reviewTable.rowCount == 6 and reviewed.ui.profileFrame.visible


def test_a_corrected_organ_alone_is_listed_anew(reviewed: Any) -> None:
    reviewed.click(reviewed.ui.nextButton)
    reviewed.click(reviewed.ui.seenBox)
    box = Region.box("Parotid_R", (-20.0, 10.0, 0.0, 40.0, 140.0, 162.0))
    reviewed.session.corrections.set_region(box)
    reviewed.until(lambda: reviewed.session.busy, 20)
    reviewed.finish()
    assert "11 slices" in reviewed.ui.reviewHeading.text and "1 seen" in reviewed.ui.reviewHeading.text


def test_a_thousand_slices_are_listed_once(reviewed: Any) -> None:
    session = reviewed.session
    book = session.reviewing.book
    book = book.with_review(long_review("Brainstem", 1000), book.voxels["Brainstem"])
    session.reviewing.put(session.target, session.volume_node, book)
    reviewed.process_events()
    assert reviewed.ui.reviewTable.rowCount == 1004
    item = reviewed.ui.reviewTable.item(0, 2)
    for _ in range(20):
        reviewed.press("Alt+Right")
    assert selected(reviewed) == [19] and reviewed.ui.reviewTable.item(0, 2) is item
