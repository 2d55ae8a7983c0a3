"""What lies on the desk: the scan, the model, the organs, the target, and what is known before a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputRefused
from ..io.plausible import check_ct, check_scan
from ..model import Model
from ..scene import check_source, volume_from_node
from ..volume import Volume
from .link import ModelKey, VolumeKey
from .models import Installed
from .notes import MODEL, RUN, TARGET, VOLUME, Log, Problems
from .organs import Note, OrganState
from .signals import Change, Signal
from .target import Target
from .timings import Timings

_LOOK_AGAIN_S = 1.0


class Desk:
    """The choices; :class:`~TwoStageSegLib.session.session.Session` adds the acts.

    Parameters
    ----------
    scene : vtkMRMLScene. timings_file : where measured times are kept; None for memory only.
    clock : seconds that only go forward.

    ``changed`` is emitted with a :class:`Change`.
    """

    def __init__(self, scene: Any, timings_file: Path | None = None, clock: Callable[[], float] = time.monotonic):
        self.scene, self.clock, self.changed = scene, clock, Signal()
        self.problems, self.log = Problems(self.changed.emit), Log(self.changed.emit)
        self.timings = Timings(timings_file)
        self.device = "auto"
        self.volume_node: Any = None
        self.volume_text = ""
        self.entry: Installed | None = None
        self._looked_s = clock()
        self._judged: object = None  # scan and model that were looked at together
        self._verdict: InputRefused | None = None
        self._target_node: Any = None
        self._targets: dict[str, Target] = {}
        self._rows: dict[tuple[str, str], dict[str, OrganState]] = {}

    @property
    def model(self) -> Model | None:
        """The chosen model, if it can be used."""
        return None if self.entry is None else self.entry.model

    @property
    def rows(self) -> dict[str, OrganState]:
        """The organs of the chosen model on the chosen volume, in the model's order; kept for each volume."""
        if self.model is None:
            return {}
        key = ("" if self.volume_node is None else self.volume_node.GetID(), self.model.sha256)
        if key not in self._rows:
            self._rows[key] = {o.name: OrganState.of(o) for o in self.model.manifest.organs}
        return self._rows[key]

    @property
    def target(self) -> Any:
        """The segmentation node that results go into; None: a new one is made by the next run."""
        return self._target_node

    @target.setter
    def target(self, node: Any) -> None:
        if node is not self._target_node:
            self._target_node = node
            self.problems.solve(TARGET)
            self.changed.emit(Change.TARGET)

    def choose_volume(self, node: Any) -> None:
        """The scan to work on, or None. What was found on it before comes back."""
        self.problems.solve(RUN, *self.rows)
        self.volume_node = node
        self.check_volume()
        self.changed.emit(Change.VOLUME)
        self.changed.emit(Change.ORGANS)

    def choose_model(self, entry: Installed | None) -> None:
        """The model to use, or None. One that cannot be used says why."""
        self.problems.solve(MODEL, RUN, *self.rows)
        self.entry = entry
        if entry is not None and entry.model is None:
            self.problems.put(MODEL, entry.problem)
        self.check_volume()
        for change in (Change.MODEL, Change.VOLUME, Change.ORGANS):
            self.changed.emit(change)

    def tick_organ(self, organ: str, ticked: bool) -> None:
        """Work on this organ, or leave it out of the next runs."""
        self.rows[organ].ticked = ticked
        self.changed.emit(Change.ORGANS)

    def check_volume(self) -> Volume | None:
        """The scan as the engine sees it, if the model can use it; else its problem stands at the volume."""
        self.volume_text = ""
        if self.volume_node is None:
            self.problems.solve(VOLUME)
            return None
        try:
            volume = volume_from_node(self.volume_node)
            self.volume_text = " · ".join(filter(None, (volume.size_text, volume.modality)))
            self._judge(volume)
        except InputRefused as error:
            if self.problems.at(VOLUME) != str(error):
                self.log.add(error.code)
            self.problems.put(VOLUME, str(error))
            return None
        self.problems.solve(VOLUME)
        return volume

    def _judge(self, volume: Volume) -> None:
        """Refuse what the model cannot use. Looks at files and voxels: not again for every mouse move."""
        subject = (self.volume_key(volume), volume.modality, None if self.model is None else self.model.sha256)
        if subject != self._judged:
            self._judged, self._verdict = subject, None
            try:
                check_source(self.volume_node)
                check_scan(volume)
                if self.model is not None and self.model.manifest.input.modality == "CT":
                    check_ct(volume)
            except InputRefused as error:
                self._verdict = error
        if self._verdict is not None:
            raise InputRefused(self._verdict.code, str(self._verdict))

    def look_again(self) -> None:
        """A scan that could not be used may have been put right (taken out of a transform): looked at every second."""
        now = self.clock()
        if self.problems.at(VOLUME) and now - self._looked_s > _LOOK_AGAIN_S:
            self._looked_s = now
            if self.check_volume() is not None:
                self.changed.emit(Change.VOLUME)

    def forget_node(self, node: Any) -> None:
        """A node has left the scene: it is no target any more, and what was known about it is dropped."""
        if node is self._target_node:
            self._targets.pop(node.GetID(), None)
            self.target = None
        if node.IsA("vtkMRMLVolumeNode"):
            self._rows = {k: v for k, v in self._rows.items() if k[0] != node.GetID()}

    def target_for(self, volume_node: Any) -> Target:
        """The target segmentation with its memory; made, beside the scan, if none was chosen."""
        if self._target_node is None:
            node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
            node.CreateDefaultDisplayNodes()
            _put_beside(self.scene, node, volume_node)
            self.target = node
        node = self._target_node
        return self._targets.setdefault(node.GetID(), Target(node))

    @property
    def known_target(self) -> Target | None:
        """The chosen target, if something has been written into it since it was loaded."""
        return None if self._target_node is None else self._targets.get(self._target_node.GetID())

    def measured(self, organ: str, volume_ml: float) -> None:
        """An organ's contour has this volume now; its row says so if it was segmented before."""
        row = self.rows.get(organ)
        if row is not None and row.volume_ml is not None and abs(row.volume_ml - volume_ml) > 1e-6:
            row.volume_ml = volume_ml
            self.changed.emit(Change.ORGANS)

    def forget_figures(self, target: Target) -> None:
        """After an undo: a row says nothing about a segment that is gone."""
        for name, row in self.rows.items():
            if target.segment_of(name) is None:
                row.volume_ml, row.note = None, Note.NONE
        self.changed.emit(Change.TARGET)
        self.changed.emit(Change.ORGANS)

    def model_key(self, model: Model) -> ModelKey:
        return str(model.folder), self.device

    def volume_key(self, volume: Volume) -> VolumeKey:
        """Differs as soon as the voxels or their place have changed."""
        image = self.volume_node.GetImageData()
        scalars = image.GetPointData().GetScalars()
        return self.volume_node.GetID(), image.GetMTime(), scalars.GetMTime(), volume.geometry


def _put_beside(scene: Any, node: Any, volume_node: Any) -> None:
    """Under the scan's patient and study in the subject hierarchy, where the application keeps one."""
    tree = scene.GetSubjectHierarchyNode() if hasattr(scene, "GetSubjectHierarchyNode") else None
    if tree is None:
        return
    scan, mine = tree.GetItemByDataNode(volume_node), tree.GetItemByDataNode(node)
    if scan and mine:
        tree.SetItemParent(mine, tree.GetItemParent(scan))
