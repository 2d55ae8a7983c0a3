"""Finds ``slicer``: the application's own module, or the slicer-core package. Imported only when needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import TwoStageSegError

_SEGMENTATION_CORE = "vtkSegmentationCorePython"


def slicer_class(name: str) -> Any:
    """A wrapped class such as ``vtkOrientedImageData``.

    slicer-core and newer applications hang every class on ``slicer``; older ones keep those of the segmentation core
    in a module of their own.

    Raises
    ------
    TwoStageSegError
        ``E_SLICER`` if there is no Slicer here.
    """
    try:
        slicer = import_module("slicer")
    except ImportError as error:
        raise TwoStageSegError(
            "E_SLICER", "This needs 3D Slicer or its slicer-core package (pip install slicer-core)."
        ) from error
    if hasattr(slicer, name):
        return getattr(slicer, name)
    return getattr(import_module(_SEGMENTATION_CORE), name)
