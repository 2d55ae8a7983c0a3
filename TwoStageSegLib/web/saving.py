"""What is downloaded beside the report: the scene's own segments as Slicer writes them."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputRefused
from ..outputs.atomic import atomic_file
from ..session import Session


def save_segmentation(session: Session, file: Path) -> None:
    """The target segmentation as ``.seg.nrrd``, by Slicer's own writer: every segment, edited or not.

    Raises
    ------
    InputRefused : there is none, or it cannot be written.
    """
    from ..scene.runtime import slicer_class

    node = session.target
    if node is None or node.GetSegmentation().GetNumberOfSegments() == 0:
        raise InputRefused("E_SEGMENTATION", "There is nothing to save yet. Locate and segment first.")
    storage = slicer_class("vtkMRMLSegmentationStorageNode")()
    storage.SetScene(session.scene)
    storage.SetUseCompression(True)
    with atomic_file(file) as temporary:
        storage.SetFileName(str(temporary))
        if not storage.WriteData(node):
            raise InputRefused("E_OUTPUT", "Slicer could not write the segmentation. Is the disk full?")
