"""The self-test that runs inside Slicer: the scene, a child process, and one whole run if torch is installed."""

from __future__ import annotations

import time
import unittest
from typing import Any

import slicer

from TwoStageSeg import TwoStageSegLogic
from TwoStageSegLib.probe import read
from TwoStageSegLib.region import Point, Region
from TwoStageSegLib.review.book import Book
from TwoStageSegLib.review.findings import Basis, OrganReview, SliceFinding
from TwoStageSegLib.scene import node_from_volume
from TwoStageSegLib.scene.review_plot import marked_slice, plot_view
from TwoStageSegLib.session import Installed, RowStatus, installed_models
from TwoStageSegLib.volume import Volume

from .child import Child


def _phantom() -> Volume:
    from TwoStageSegLib.sample.phantom import generate

    return generate(7, surroundings=False).volume


def _model() -> Installed:
    return next(m for m in installed_models() if m.model is not None and m.name == "phantom")


def _output(arguments: list[str]) -> str:
    """What Slicer's Python writes when it runs as a child process."""
    said: list[bytes] = []
    ends: list[int] = []
    child = Child(said.append, lambda data: None, lambda code, crashed: ends.append(code))
    if not child.start(arguments):
        return ""
    deadline = time.monotonic() + 120
    while not ends and time.monotonic() < deadline:
        slicer.app.processEvents()
        time.sleep(0.01)
    child.kill()
    return b"".join(said).decode()


class SelfTest(unittest.TestCase):
    def setUp(self) -> None:
        slicer.mrmlScene.Clear()
        self.logic: Any = TwoStageSegLogic()

    def test_a_click_and_a_box_become_nodes(self) -> None:
        volume = _phantom()
        session = self.logic.createSession()
        self.addCleanup(session.close)
        session.choose_model(_model())
        session.choose_volume(node_from_volume(slicer.mrmlScene, volume, "CT"))
        self.assertEqual(session.problems.places, ())
        session.corrections.auto_rerun = False
        organ = next(iter(session.rows))
        x, y, z = (float(v) for v in volume.geometry.index_to_lps([n // 2 for n in volume.voxels.shape]))
        centre: Point = (x, y, z)
        session.corrections.set_region(Region.click(organ, centre))
        self.assertIs(session.rows[organ].status, RowStatus.YOUR_CLICK)
        session.corrections.box_at(organ, centre)
        self.assertIs(session.rows[organ].status, RowStatus.YOUR_BOX)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode"), 1)

    def test_slicers_python_starts_as_a_child(self) -> None:
        self.assertEqual(_output(["-c", "print(6 * 7)"]).strip(), "42")

    def test_a_flagged_slice_is_shown_and_plotted(self) -> None:
        session = self.logic.createSession()
        self.addCleanup(session.close)
        session.choose_model(_model())
        volume = _phantom()
        session.choose_volume(node_from_volume(slicer.mrmlScene, volume, "CT"))
        target = session.target_for(session.volume_node)
        x, y, z = (float(v) for v in volume.geometry.index_to_lps([n // 2 for n in volume.voxels.shape]))
        slices = tuple(
            SliceFinding("Brainstem", i, (x, y, z + i), 100.0, 0.1 * i, ("self-test",) * (i % 2), i % 2 == 1)
            for i in range(6)
        )
        book = Book().with_review(OrganReview("Brainstem", Basis.SUSPICION, slices))
        session.reviewing.put(target.node, session.volume_node, book)
        view = slicer.qMRMLPlotView()
        view.setMRMLScene(slicer.mrmlScene)
        node = plot_view(slicer.mrmlScene)
        view.setMRMLPlotViewNode(node)
        node.SetPlotChartNodeID(session.reviewing.chart.GetID())
        shown = session.reviewing.next()
        self.assertEqual(shown.number, 6)
        self.assertEqual(marked_slice(session.reviewing.table), 6)
        for i in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            matrix = slicer.mrmlScene.GetNthNodeByClass(i, "vtkMRMLSliceNode").GetSliceToRAS()
            self.assertAlmostEqual(matrix.GetElement(2, 3), z + 5, 3)
        view.setMRMLPlotViewNode(None)
        view.setMRMLScene(None)

    def test_a_whole_run(self) -> None:
        found = read(_output(["-P", "-m", "TwoStageSegLib.probe"]))
        if found is None or not found.usable:
            self.skipTest("torch is not installed: open the module and press Install")
        node = node_from_volume(slicer.mrmlScene, _phantom(), "CT")
        segmentation = self.logic.segment(node, "phantom").GetSegmentation()
        self.assertGreater(segmentation.GetNumberOfSegments(), 3)
