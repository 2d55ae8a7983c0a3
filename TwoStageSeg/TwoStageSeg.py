"""TwoStageSeg: locate organs in CT, segment the crops around them, correct by a click or a box.

The panel is in TwoStageSegWidgets, the behaviour in TwoStageSegLib.session; the networks run in a process of their
own. Nothing heavy is imported here, so that Slicer starts as fast as without this module.
"""

import importlib
import logging
import sys
import time
import unittest
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

HERE = Path(__file__).resolve().parent
if not (HERE / "TwoStageSegLib").is_dir() and (HERE.parent / "TwoStageSegLib").is_dir():
    sys.path.append(str(HERE.parent))  # developer mode: this folder was added to Slicer's module paths

_TIMINGS = Path.home() / ".twostageseg" / "timings.json"


class TwoStageSeg(ScriptedLoadableModule):
    """What Slicer knows of the module before its panel is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("TwoStageSeg")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["TwoStageSeg contributors"]
        parent.helpText = _(
            "Locates organs in CT and segments the crop around each. Correct one by a click or by dragging its box; "
            "it alone is redone. Research use only, not a medical device: every contour must be reviewed."
        )
        parent.acknowledgementText = _("Licences of the models and of what they were trained on stand in the panel.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """The synthetic patient appears in Sample Data."""
    try:
        from TwoStageSegWidgets.sample import register_sample_data

        register_sample_data(HERE / "Resources" / "Icons")
    except ImportError as error:
        logging.info(f"TwoStageSeg: sample data not registered ({error.name})")


class TwoStageSegWidget(ScriptedLoadableModuleWidget):
    """The panel's frame: loads the .ui file and hands over to TwoStageSegWidgets.panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        self.panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from TwoStageSegWidgets.panel import Panel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/TwoStageSeg.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = TwoStageSegLogic()
        self.panel = Panel(self.ui, self.logic.createSession(), uiWidget)

    def enter(self):
        if self.panel is not None:
            self.panel.enter()

    def exit(self):
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self):
        """The module or Slicer ends: the worker too."""
        if self.panel is not None:
            self.panel.close()
            self.panel = None

    def onReload(self):
        self.cleanup()
        for name in [n for n in sys.modules if n.split(".")[0] in ("TwoStageSegLib", "TwoStageSegWidgets")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        ScriptedLoadableModuleWidget.onReload(self)


class TwoStageSegLogic(ScriptedLoadableModuleLogic):
    """For the panel and for scripts."""

    def createSession(self):
        """A session on Slicer's scene whose worker runs through QProcess."""
        from TwoStageSegWidgets.process import QProcessTransport

        from TwoStageSegLib.session import Session

        return Session(slicer.mrmlScene, QProcessTransport(), _TIMINGS)

    def segment(self, volumeNode, modelName, organs=None, segmentationNode=None, timeoutSec=600.0):
        """Locate and segment without a panel; returns the segmentation node, raises RuntimeError with the reason.

        A segment that a person has worked on is never overwritten: the result is added beside it.
        """
        from TwoStageSegLib.session import Policy, installed_models

        session = self.createSession()
        try:
            session.choose_model(next((m for m in installed_models() if m.name == modelName), None))
            session.choose_volume(volumeNode)
            session.target = segmentationNode
            if not session.run(organs) and not (session.question and session.answer(Policy.BESIDE)):
                raise RuntimeError(_problems(session) or "Nothing to do: no such model, or no organ of these.")
            end = time.monotonic() + timeoutSec
            while session.busy and time.monotonic() < end:
                session.tick()
                slicer.app.processEvents()
                time.sleep(0.01)
            if session.busy or session.problems.places:
                raise RuntimeError(_problems(session) or f"Not done within {timeoutSec:.0f} s.")
            return session.target
        finally:
            session.close()


def _problems(session):
    return " ".join(session.problems.at(place) for place in session.problems.places)


class TwoStageSegTest(ScriptedLoadableModuleTest):
    """Self-test in real Slicer: Developer mode, "Reload and Test"; or ``slicer.testing.runUnitTest``."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        suite = unittest.defaultTestLoader.loadTestsFromName("TwoStageSegWidgets.self_test")
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
        self.assertTrue(result.wasSuccessful())
