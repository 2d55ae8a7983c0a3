"""The panel: what the widgets of the ``.ui`` file show of the session, and what they make it do. No behaviour here."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from TwoStageSegLib.session import RUN, TARGET, VOLUME, Change, Policy, Session

from .install_box import InstallBox
from .model_box import ModelBox
from .organ_list import OrganList
from .placing import stop_placing
from .review_box import ReviewBox
from .sample import load_sample, show, shown_volume
from .settings import Settings
from .shortcuts import Shortcuts
from .texts import progress_text, question_lines, seconds_text

DEVICES = ("auto", "cuda", "cpu")
POLICIES = (Policy.REPLACE, Policy.BESIDE, Policy.KEEP)
TICK_MS = 100


class Panel:
    """Binds ``ui`` (names of the ``.ui`` file) to a session.

    Parameters
    ----------
    root : the panel's top widget; shortcuts hang on it where there is no main window.
    """

    def __init__(self, ui: Any, session: Session, root: Any):
        self.ui, self.session = ui, session
        self.settings = Settings()
        self.organs = OrganList(ui.organRows.layout(), session)
        self.models = ModelBox(ui, session, lambda name: self.settings.put("Model", name))
        self.install = InstallBox(ui, self._refresh_run)
        self.review = ReviewBox(ui, session)
        self.shortcuts = Shortcuts(root, self.organs, self.review, self._run_or_cancel, self._undo)
        self._restore()
        self._connect()
        session.changed.connect(self._changed)
        self.models.load(self.settings.get("Model", ""))
        self.timer = qt.QTimer()
        self.timer.interval = TICK_MS
        self.timer.connect("timeout()", session.tick)
        self.timer.start()
        self.refresh()

    def enter(self) -> None:
        """The user opens the panel: what can be computed with is found out now, in a child process."""
        self.shortcuts.enable(True)
        self.install.look()
        if self.ui.volumeSelector.currentNode() is None:  # what the user looks at is what the user means
            self.ui.volumeSelector.setCurrentNode(shown_volume())
        self._volume_chosen(self.ui.volumeSelector.currentNode())

    def exit(self) -> None:
        """Another module is opened; a run goes on, placing does not."""
        self.shortcuts.enable(False)
        self._stop_placing()

    def close(self) -> None:
        self.timer.stop()
        self.session.changed.disconnect(self._changed)
        self.shortcuts.close()
        self.review.close()
        self.install.close()
        self.session.close()

    def refresh(self) -> None:
        for change in Change:
            self._changed(change)

    def _restore(self) -> None:
        self.session.device = self.settings.get("Device", "auto")
        if self.session.device not in DEVICES:
            self.session.device = "auto"
        self.ui.deviceSelector.setCurrentIndex(DEVICES.index(self.session.device))
        self.session.corrections.auto_rerun = self.settings.get("AutoRerun", "true") == "true"
        self.ui.autoRerunBox.checked = self.session.corrections.auto_rerun

    def _connect(self) -> None:
        ui = self.ui
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._volume_chosen)
        ui.targetSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._target_chosen)
        ui.sampleButton.connect("clicked(bool)", lambda _on: self._load_sample())
        ui.runButton.connect("clicked(bool)", lambda _on: self._run_or_cancel())
        ui.redoButton.connect("clicked(bool)", lambda _on: self.session.corrections.redo())
        ui.undoButton.connect("clicked(bool)", lambda _on: self._undo())
        ui.editButton.connect("clicked(bool)", lambda _on: self._edit())
        ui.deviceSelector.connect("activated(int)", self._device_chosen)
        ui.policySelector.connect("activated(int)", lambda index: setattr(self.session, "policy", POLICIES[index]))
        ui.autoRerunBox.connect("toggled(bool)", self._auto_rerun)
        ui.perOrganBox.connect("toggled(bool)", self.organs.show_policies)
        ui.copyLogButton.connect("clicked(bool)", lambda _on: slicer.app.clipboard().setText(self.session.log.text))
        answers = ((ui.replaceButton, 0), (ui.besideButton, 1), (ui.keepButton, 2))
        for button, index in answers:
            button.connect("clicked(bool)", lambda _on, index=index: self.session.answer(POLICIES[index]))
        ui.callOffButton.connect("clicked(bool)", lambda _on: self.session.answer(None))

    # what a person does

    def _volume_chosen(self, node: Any) -> None:
        if node is not self.session.volume_node:
            self._stop_placing()
            self.session.choose_volume(node)
            if node is not None:
                show(node)

    def _target_chosen(self, node: Any) -> None:
        self.session.target = node

    def _load_sample(self) -> None:
        node = load_sample()
        self.ui.volumeSelector.setCurrentNode(node)

    def _run_or_cancel(self) -> None:
        if self.session.busy:
            self.session.cancel()
        elif self.ui.runButton.enabled:
            stop_placing()
            self.session.run()

    def _undo(self) -> None:
        self.session.undo()

    def _edit(self) -> None:
        node, organ = self.session.target, self.organs.chosen
        target = self.session.known_target
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(node)
        editor.setSourceVolumeNode(self.session.volume_node)
        segment = None if target is None or not organ else target.segment_of(organ)
        if segment is not None:
            editor.setCurrentSegmentID(segment)

    def _device_chosen(self, index: int) -> None:
        self.session.device = DEVICES[index]
        self.settings.put("Device", DEVICES[index])
        self._refresh_run()

    def _auto_rerun(self, on: bool) -> None:
        self.session.corrections.auto_rerun = on
        self.settings.put("AutoRerun", "true" if on else "false")

    def _stop_placing(self) -> None:
        if self.session.corrections.placing:
            stop_placing()
            self.session.corrections.stop_placing()

    # what the session says

    def _changed(self, change: Change) -> None:
        if change is Change.PROGRESS:
            self._refresh_progress()
        elif change is Change.LOG:
            self.ui.logText.setPlainText(self.session.log.text)
        elif change is Change.QUESTION:
            self._refresh_question()
        elif change is Change.MODEL:
            self.models.refresh()
        elif change is Change.VOLUME:
            self._refresh_volume()
        elif change is Change.TARGET:
            self._refresh_target()
        elif change is Change.REVIEW or change is Change.SLICE:
            self.review.changed(change)
            return
        elif change is Change.PROBLEMS:
            self._refresh_volume()
            self._refresh_target()
            self.models.refresh()
            self.organs.refresh()
        else:
            self.organs.refresh()
            self.review.changed(change)  # whether an organ can be signed off depends on what is done to it
        if change is not Change.LOG:
            self._refresh_run()

    def _refresh_volume(self) -> None:
        if self.ui.volumeSelector.currentNode() is not self.session.volume_node:
            self.ui.volumeSelector.setCurrentNode(self.session.volume_node)
        self.ui.volumeText.text = self.session.volume_text
        _say(self.ui.volumeProblem, self.session.problems.at(VOLUME))

    def _refresh_target(self) -> None:
        if self.ui.targetSelector.currentNode() is not self.session.target:
            self.ui.targetSelector.setCurrentNode(self.session.target)
        _say(self.ui.targetProblem, self.session.problems.at(TARGET))

    def _refresh_question(self) -> None:
        question = self.session.question
        self.ui.questionFrame.visible = question is not None
        if question is not None:
            self.ui.questionText.text = "\n".join(question_lines(question))

    def _refresh_run(self) -> None:
        session, ui = self.session, self.ui
        session.warm_up.allowed = self.install.ready
        stale = session.corrections.stale
        ui.runButton.text = _("Cancel") if session.busy else _("Locate && Segment")
        ui.runButton.enabled = (session.busy and not session.link.cancelling) or (
            session.can_run and self.install.ready
        )
        ui.redoButton.enabled = bool(stale) and session.can_run and self.install.ready
        ui.undoButton.enabled = session.can_undo
        ui.editButton.enabled = session.target is not None
        found = self.install.dependencies.findings
        device = session.forecast.device_text or ("" if found is None else found.device)
        if session.volume_node is not None and session.model is not None and not session.busy:
            device = " · ".join(filter(None, (device, seconds_text(session.forecast.seconds))))
        ui.deviceText.text = device
        ui.deviceSelector.enabled = not session.busy
        ui.outcomeText.text = session.runs.outcome
        _say(ui.runProblem, session.problems.at(RUN))
        self._refresh_progress()

    def _refresh_progress(self) -> None:
        session = self.session
        job = session.runs.job
        # without a run the bar keeps its place, so that nothing jumps
        self.ui.progressBar.value = 0 if job is None else round(100 * job.fraction)
        self.ui.progressBar.format = progress_text(job, session.runs.left_s, session.busy)


def _say(label: Any, text: str) -> None:
    label.text = text
    label.visible = bool(text)
