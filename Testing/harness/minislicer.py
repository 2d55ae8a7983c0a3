"""Slicer's own core, booted without the application: real scene, real logics, no Qt, no display.

``slicer-core`` ships the C++ classes and ``slicer.util`` but no application. What scripts expect of one
(``slicer.mrmlScene``, ``slicer.modules``, ``slicer.app``) is put in place here, once per process.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
import vtk

_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
}


@dataclass(frozen=True)
class MiniSlicer:
    """The running core: its scene, its application logic and the module logics by module name."""

    scene: Any
    app_logic: Any
    logics: dict[str, Any]

    def clear(self) -> None:
        """An empty scene; colour tables and other singletons stay."""
        self.scene.Clear(False)

    def load_segmentation(self, path: Path) -> Any:
        """What the application's "Add data" does with a ``.seg.nrrd``: the segmentation node, None if it refuses."""
        return self.logics["Segmentations"].LoadSegmentationFromFile(str(path), False, path.name.split(".")[0])

    def save_segmentation(self, node: Any, path: Path) -> bool:
        """What the application's "Save" does: write a segmentation node with Slicer's own writer."""
        storage = self.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
        storage.SetFileName(str(path))
        done = bool(storage.WriteData(node))
        self.scene.RemoveNode(storage)
        return done


@cache
def boot() -> MiniSlicer:
    """The one core of this process (a second one would fight over VTK's object factories)."""
    scene = slicer.vtkMRMLScene()
    app_logic = slicer.vtkSlicerApplicationLogic()
    app_logic.SetMRMLScene(scene)
    app_logic.GetColorLogic().SetMRMLScene(scene)
    app_logic.GetColorLogic().AddDefaultColorNodes()
    app_logic.SetSliceLogics(vtk.vtkCollection())  # None otherwise, and slice views need one
    app_logic.SetViewLogics(vtk.vtkCollection())
    logics = {}
    for name, class_name in _LOGICS.items():
        logic = getattr(slicer, class_name)()
        if name == "Terminologies" and (share := _terminologies()):
            logic.SetModuleShareDirectory(str(share))  # before the scene: it reads the lists when it gets one
        logic.SetMRMLApplicationLogic(app_logic)
        logic.SetMRMLScene(scene)
        app_logic.SetModuleLogic(name, logic)
        logics[name] = logic
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    _stand_in_for_the_application(scene, app_logic, logics)
    return MiniSlicer(scene, app_logic, logics)


def has_terminologies() -> bool:
    """True if Slicer's own code lists are here to compare with."""
    return _terminologies() is not None


def _terminologies() -> Path | None:
    """Slicer's terminology files, which trame-slicer ships (slicer-core does not)."""
    spec = importlib.util.find_spec("trame_slicer")
    folder = Path(spec.origin).parent / "resources" / "terminologies" if spec and spec.origin else None
    return folder if folder is not None and folder.is_dir() else None


def _stand_in_for_the_application(scene: Any, app_logic: Any, logics: dict[str, Any]) -> None:
    def module(logic: Any) -> SimpleNamespace:
        return SimpleNamespace(logic=lambda: logic)

    slicer.mrmlScene = scene
    slicer.modules = SimpleNamespace(**{name.lower(): module(logic) for name, logic in logics.items()})
    slicer.app = SimpleNamespace(
        testingEnabled=lambda: True,
        applicationLogic=lambda: app_logic,
        pauseRender=lambda: None,
        resumeRender=lambda: None,
        processEvents=lambda: None,
    )
