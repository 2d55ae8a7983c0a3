"""A module as somebody writes it for Slicer: it knows nothing of the harness."""

import ctk
import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin


class SampleModule(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Sample")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.helpText = _("Counts {what}.").format(what="voxels")
        self.started = False
        slicer.app.connect("startupCompleted()", self.on_startup)

    def on_startup(self):
        self.started = True


class SampleModuleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.clicks = []
        self.process = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/SampleModule.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = SampleModuleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.on_scene_closing)
        self.ui.inputSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.on_input)
        self.ui.runButton.connect("clicked(bool)", self.on_run)
        self.ui.advancedButton.connect("contentsCollapsed(bool)", lambda folded: self.clicks.append(("fold", folded)))
        self.timer = qt.QTimer()
        self.timer.interval = 10
        self.timer.singleShot = True
        self.timer.connect("timeout()", lambda: self.clicks.append("timer"))
        self.extra = ctk.ctkCollapsibleButton()
        self.extra.text = "More"
        self.layout.addWidget(self.extra)
        self.on_input(self.ui.inputSelector.currentNode())

    def enter(self):
        self.entered = True

    def cleanup(self):
        self.removeObservers()
        if self.process is not None:
            self.process.kill()
            self.process.waitForFinished(2000)

    def on_input(self, node):
        self.ui.runButton.enabled = node is not None
        self.ui.statusLabel.text = node.GetName() if node else _("Choose a volume.")

    def on_scene_closing(self, caller, event):
        self.clicks.append("closing")

    def on_run(self):
        self.clicks.append("run")
        with slicer.util.tryWithErrorDisplay(_("Counting failed."), waitCursor=True):
            count = self.logic.count(self.ui.inputSelector.currentNode(), self.ui.thresholdSlider.value)
            self.ui.progressBar.value = 100
            self.ui.statusLabel.text = str(count)


class SampleModuleLogic(ScriptedLoadableModuleLogic):
    def count(self, node, threshold):
        if node.GetName() == "broken":
            raise ValueError("this scan cannot be counted")
        return int((slicer.util.arrayFromVolume(node) > threshold).sum())
