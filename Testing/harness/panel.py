"""TwoStageSeg's panel as a user works it: choose, run, correct, answer. Built on ``module.OpenModule``."""

from __future__ import annotations

import importlib
import signal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .module import ROOT, OpenModule, child_processes
from .qt.host import SlicerHost


class OpenPanel(OpenModule):
    """The panel and what is behind it."""

    @property
    def session(self) -> Any:
        """What the panel shows; tests look at it, they do not act through it."""
        return self.widget.panel.session

    @property
    def scene(self) -> Any:
        return self.host.mini.scene

    def choose(self, volume_node: Any) -> None:
        """Choose a CT in the panel."""
        self.ui.volumeSelector.setCurrentNode(volume_node)
        self.process_events()

    def row(self, organ: str) -> Any:
        """The widgets of one organ's row."""
        return self.widget.panel.organs._rows[organ]

    def status(self, organ: str) -> str:
        return str(self.row(organ).status.text)

    def run(self, timeout_s: float = 60.0) -> None:
        """Press the button and wait for the end."""
        assert self.ui.runButton.enabled, f"the button is disabled. {self.problems()}"
        self.click(self.ui.runButton)
        assert self.ui.runButton.text == "Cancel", self.problems()
        self.finish(timeout_s)

    def finish(self, timeout_s: float = 60.0) -> None:
        """Wait until nothing runs and nothing waits to be redone by itself."""

        def rests() -> bool:
            return not self.session.busy and self.session.corrections._touched_s is None

        self.until(rests, timeout_s, f"the run ends; log:\n{self.session.log.text}")

    def problems(self) -> str:
        """Every problem that the panel shows."""
        labels = [getattr(self.ui, f"{place}Problem") for place in ("volume", "model", "run", "target", "install")]
        labels += [row.problem for row in self.widget.panel.organs._rows.values()]
        return " ".join(label.text for label in labels if label.text)

    def voxels(self, organ: str) -> NDArray[np.bool_]:
        """A segment of the target in the scan's grid, ``(z, y, x)``."""
        from TwoStageSegLib.scene import mask_from_segment, volume_from_node

        volume = volume_from_node(self.session.volume_node)
        return mask_from_segment(self.session.target, organ, volume).full()

    def segments(self) -> list[str]:
        if self.session.target is None:
            return []
        return list(self.session.target.GetSegmentation().GetSegmentIDs())

    def box(self, organ: str) -> Any:
        """The organ's ROI or point in the scene."""
        return self.session.markers.node_of(self.session.volume_node.GetID(), organ)

    def worker(self) -> int:
        """Process ID of the worker, the panel's only child."""
        (pid,) = child_processes() - self._children
        return pid

    def kill_worker(self) -> None:
        import os

        os.kill(self.worker(), signal.SIGKILL)


def open_panel(host: SlicerHost, worker: str = "TwoStageSegLib.worker", probe: bool = True) -> OpenPanel:
    """Open the module.

    Parameters
    ----------
    worker : what the worker process runs. probe : False to believe that torch is here instead of asking a child.
    """

    def prepare() -> None:
        process = importlib.import_module("TwoStageSegWidgets.process")
        process.QProcessTransport.__init__.__defaults__ = (worker,)
        if not probe:
            dependencies = importlib.import_module("TwoStageSegWidgets.dependencies")
            dependencies.Dependencies.look = _believe

    return OpenPanel(host, ROOT / "TwoStageSeg" / "TwoStageSeg.py", prepare)


def _believe(dependencies: Any) -> None:
    from TwoStageSegLib.probe import Findings

    dependencies.findings = Findings(device="CPU: believed")
    dependencies._changed()
