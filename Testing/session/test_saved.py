"""Markers that a loaded scene brings: they are known again."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.sessions import finish, run
from TwoStageSegLib.region import Region, Source
from TwoStageSegLib.session import RowStatus


def test_what_a_marker_remembers_is_read_back(session):
    from TwoStageSegLib.session.saved import remembered

    run(session)
    volume_id = session.volume_node.GetID()
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    found = {region.organ: region for _, region in remembered(session.scene, volume_id)}
    assert found == {name: row.region for name, row in session.rows.items()}
    assert found["Brainstem"].source is Source.CLICK and found["Parotid_L"].source is Source.AUTO


def test_another_session_takes_the_markers_over(session):
    """As after loading a scene: the nodes are there, and nobody knows them yet."""
    run(session)
    session.corrections.set_region(Region.click("Brainstem", (16, 10, 147)))
    session.corrections.hold_back()
    node = session.markers.node_of(session.volume_node.GetID(), "Parotid_L")
    volume_node = session.volume_node
    session.forget_scene()  # lets go of everything; the nodes stay
    assert session.rows["Brainstem"].status is RowStatus.NOT_RUN
    x, y, z = node.GetCenter()
    node.SetCenter(x + 4, y, z)  # moved by somebody meanwhile
    session.choose_volume(volume_node)
    assert session.rows["Brainstem"].status is RowStatus.YOUR_CLICK
    assert session.rows["Parotid_R"].status is RowStatus.LOCATED and session.rows["Parotid_R"].score == 1.0
    assert session.rows["Parotid_L"].status is RowStatus.YOUR_BOX
    nodes = session.scene.GetNumberOfNodes()
    run(session)
    finish(session)
    assert session.scene.GetNumberOfNodes() <= nodes + 2  # a new segmentation and its display; no second box


@pytest.mark.parametrize("text", ["", "{", "[]", '{"organ": "Brainstem"}', "x" * 20_000])
def test_a_box_with_nonsense_written_on_it_is_just_a_box(session, text):
    run(session)
    node = session.markers.node_of(session.volume_node.GetID(), "Brainstem")
    volume_node = session.volume_node
    session.forget_scene()
    node.SetAttribute("TwoStageSeg.Region", text)
    session.choose_volume(volume_node)
    assert session.rows["Brainstem"].status is RowStatus.NOT_RUN
    assert session.rows["Parotid_L"].status is RowStatus.LOCATED
