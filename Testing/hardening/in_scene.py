"""Opens a file as Slicer opens it and has the session work on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import vtk

from Testing.harness.minislicer import MiniSlicer
from Testing.harness.mrml import placed
from Testing.harness.sessions import finish
from TwoStageSegLib.session import VOLUME

from .scans import Points

if TYPE_CHECKING:
    from TwoStageSegLib.session import Session


def _place(file: Path) -> tuple[float, str]:
    """Slicer's DICOM import sorts the files of a series by where they lie; what has no place comes by name."""
    try:
        ds = pydicom.dcmread(file, stop_before_pixels=True)
        row, column = np.reshape(np.asarray(ds.ImageOrientationPatient, float), (2, 3))
        return float(np.dot(np.cross(row, column), np.asarray(ds.ImagePositionPatient, float))), file.name
    except Exception:
        return 0.0, file.name


NOT_LOADED = "Slicer does not load it"


@dataclass
class Seat:
    session: Session
    slicer: MiniSlicer

    def open(self, path: Path) -> Any:
        """The volume node that Slicer's own reader makes of a file or DICOM folder; None if it refuses."""
        logic = self.slicer.logics["Volumes"]
        if not path.is_dir():
            return logic.AddArchetypeVolume(str(path), "scan", 0)
        files = [str(p) for p in sorted(path.iterdir(), key=_place)]
        listed = vtk.vtkStringArray()
        for file in files:
            listed.InsertNextValue(file)
        node = logic.AddArchetypeScalarVolume(files[0], "scan", 0, listed)
        if node is not None:  # as the application's DICOM import does
            node.SetAttribute("DICOM.Modality", str(pydicom.dcmread(files[0], stop_before_pixels=True).Modality))
        return node

    def verdict(self, node: Any) -> str:
        """The code with which the session refuses a scan, "" if it takes it."""
        if node is None:
            return NOT_LOADED
        said = len(self.session.log.text)
        self.session.choose_volume(node)
        if not self.session.problems.at(VOLUME):
            return ""
        assert not self.session.can_run and not self.session.run()
        codes = re.findall(r"\bE_[A-Z0-9_]+", self.session.log.text[said:])
        return codes[-1] if codes else "refused without a code"

    def run(self) -> dict[str, Points]:
        """Segment everything on the chosen scan; LPS points by organ, read by VTK alone."""
        session = self.session
        session.target = None
        assert session.run(), session.problems.places
        finish(session)
        node = session.target
        if node is None:
            return {}
        segmentation = node.GetSegmentation()
        names = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]
        return {name: {(-x + 0.0, -y + 0.0, z) for x, y, z in placed(node, name)} for name in names}

    def clean(self) -> None:
        """An empty scene; the session and its worker stay."""
        session = self.session
        session.choose_volume(None)
        session.target = None
        for name in ("vtkMRMLSegmentationNode", "vtkMRMLVolumeNode", "vtkMRMLMarkupsNode"):
            nodes = session.scene.GetNodesByClass(name)
            nodes.UnRegister(None)
            for i in range(nodes.GetNumberOfItems()):
                session.scene.RemoveNode(nodes.GetItemAsObject(i))
