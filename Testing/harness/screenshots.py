"""Makes the pictures of the panel and of the slice views for README.md, from a real run on the synthetic sample.

    python -m Testing.harness.screenshots [FOLDER]

Writes into ``Resources/screenshots`` unless another folder is named. Takes about a minute; needs no screen.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).resolve().parents[2] / "Resources" / "screenshots"
PLANES = ("Axial", "Coronal", "Sagittal")
VIEW_PX, FIELD_MM, CLOSE_MM = 400, 300.0, 160.0
NARROW_PX = 360


def main(folder: Path = TARGET) -> int:
    """Work the panel through start, run, results, corrections and an error; photograph each."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "TWOSTAGESEG_MODELS": f"{home}/models"}
        from .minislicer import boot
        from .module import start_slicer
        from .panel import open_panel

        with start_slicer(boot()) as host:
            panel = open_panel(host)
            try:
                _panel_pictures(panel, folder)
                _slice_pictures(panel, folder)
                _review_pictures(panel, folder)
                _error_picture(panel, folder)
            finally:
                panel.close()
    return 0


def _panel_pictures(panel: Any, folder: Path) -> None:
    panel.until(lambda: panel.widget.panel.install.ready, 120, "torch is found")
    panel.picture(folder / "panel-start.png")
    panel.click(panel.ui.sampleButton)
    panel.click(panel.ui.runButton)
    panel.until(lambda: panel.session.runs.job is None or panel.session.runs.job.organ, 120, "an organ is segmented")
    panel.picture(folder / "panel-running.png")
    panel.finish(200)
    panel.picture(folder / "panel-results.png")
    panel.picture(folder / "panel-results-2x.png", scale=2.0)
    panel.picture(folder / "panel-narrow.png", NARROW_PX)


def _slice_pictures(panel: Any, folder: Path) -> None:
    """One organ's box, another's clicked centre, all outlines, in three planes side by side."""
    from PIL import Image

    from .mouse import SliceMouse
    from .sliceshot import SliceShot

    panel.session.target.GetDisplayNode().SetVisibility2DFill(False)
    panel.session.target.GetDisplayNode().SetSliceIntersectionThickness(2)
    organ, clicked = "Parotid_L", "Brainstem"
    for name in panel.segments():
        if panel.box(name) is not None and name != organ:
            panel.box(name).SetDisplayVisibility(False)
    centre = [0.0, 0.0, 0.0]
    panel.box(clicked).GetCenterWorld(centre)
    view = SliceShot(panel.host.mini, VIEW_PX, VIEW_PX, name="Red")
    view.show(panel.session.volume_node)
    mouse = SliceMouse(view)
    panel.click(panel.row(clicked).buttons["click"])
    mouse.click((centre[0], centre[1], centre[2]))
    panel.until(lambda: panel.session.busy, 20)
    panel.finish(120)
    mouse.release()
    view.close()
    row = []
    target = panel.box(organ).GetCenter()
    for plane, view_name in zip(PLANES, ("Red", "Green", "Yellow"), strict=True):
        shot = SliceShot(panel.host.mini, VIEW_PX, VIEW_PX, plane, view_name)
        shot.show(panel.session.volume_node)
        through = {"Axial": target, "Coronal": centre, "Sagittal": target}[plane]
        shot.node.SetFieldOfView(FIELD_MM, FIELD_MM, shot.node.GetFieldOfView()[2])
        shot.go_to((through[0], through[1], through[2]))
        row.append(shot.picture())
        shot.close()
    Image.fromarray(np.concatenate(row, axis=1)).save(folder / "slices.png")
    panel.picture(folder / "panel-corrected.png")


def _review_pictures(panel: Any, folder: Path) -> None:
    """The panel at a flagged slice, and the three slice views that "next" has brought there, outlines and all."""
    from PIL import Image

    from .sliceshot import SliceShot

    if not panel.session.reviewing.findings:
        return  # the model has nothing to judge by
    shots = []
    for plane, name in zip(PLANES, ("Red", "Green", "Yellow"), strict=True):
        shot = SliceShot(panel.host.mini, VIEW_PX, VIEW_PX, plane, name)
        shot.show(panel.session.volume_node)
        shot.node.SetFieldOfView(CLOSE_MM, CLOSE_MM, shot.node.GetFieldOfView()[2])
        shots.append(shot)
    panel.click(panel.ui.nextButton)
    panel.click(panel.ui.seenBox)
    panel.click(panel.ui.nextButton)
    panel.picture(folder / "panel-review.png")
    Image.fromarray(np.concatenate([shot.picture() for shot in shots], axis=1)).save(folder / "review-slices.png")
    for shot in shots:
        shot.close()


def _error_picture(panel: Any, folder: Path) -> None:
    """The worker is killed in the middle of a run."""
    if panel.ui.questionFrame.visible:
        panel.click(panel.ui.callOffButton)
    panel.ui.volumeSelector.setCurrentNode(None)
    panel.click(panel.ui.sampleButton)
    panel.click(panel.ui.runButton)
    panel.kill_worker()
    panel.finish(60)
    panel.picture(folder / "panel-error.png")


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
