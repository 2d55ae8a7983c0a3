"""The review goes on in another session and in a saved scene, and not with another scan."""

from __future__ import annotations

import zipfile

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_system import fake_volume
from Testing.harness.reviewing import settle
from Testing.harness.sessions import run
from TwoStageSegLib.scene import node_from_volume


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
