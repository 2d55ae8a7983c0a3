"""The synthetic patient: in the panel's "Load sample" and in Slicer's Sample Data. Made here, nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

NODE_NAME = "TwoStageSeg sample CT"
SEED = 0


def load_sample() -> Any:
    """A synthetic head and neck CT in the scene; returns its volume node. Takes a few seconds."""
    from TwoStageSegLib.sample.phantom import generate
    from TwoStageSegLib.scene import node_from_volume

    with slicer.util.WaitCursor():
        volume = generate(SEED, surroundings=True).volume
        node = node_from_volume(slicer.mrmlScene, volume, NODE_NAME)
    show(node)
    return node


def show(node: Any) -> None:
    """Put a volume into the slice views."""
    slicer.util.setSliceViewerLayers(background=node, fit=True)


def register_sample_data(icons: Path) -> None:
    """Offer the sample in Slicer's Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="TwoStageSeg",
        sampleName=_("Synthetic head and neck CT"),
        thumbnailFileName=str(icons / "TwoStageSegSample.png"),
        uris=[],
        fileNames=[],
        nodeNames=[],
        customDownloader=lambda source: [load_sample()],
    )


def shown_volume() -> Any:
    """The scan that the slice views show, None if they show none."""
    selection = slicer.app.applicationLogic().GetSelectionNode()
    node_id = None if selection is None else selection.GetActiveVolumeID()
    node = slicer.mrmlScene.GetNodeByID(node_id) if node_id else None
    is_scan = node is not None and node.IsA("vtkMRMLScalarVolumeNode") and not node.IsA("vtkMRMLLabelMapVolumeNode")
    return node if is_scan else None
