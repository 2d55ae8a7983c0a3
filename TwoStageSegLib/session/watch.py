"""Hears from the scene that it closes, or that a node has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vtkmodules.vtkCommonCore import VTK_OBJECT


class SceneWatch:
    """Observers on a scene, until :meth:`stop`.

    Parameters
    ----------
    scene : vtkMRMLScene. on_close : called before it is cleared. on_removed : called with a node that was removed.
    """

    def __init__(self, scene: Any, on_close: Callable[[], None], on_removed: Callable[[Any], None]):
        self._scene = scene

        def removed(_caller: Any, _event: str, node: Any) -> None:
            if node is not None:
                on_removed(node)

        removed.CallDataType = VTK_OBJECT  # type: ignore[attr-defined]
        self._tags = [
            scene.AddObserver(scene.StartCloseEvent, lambda *_: on_close()),
            scene.AddObserver(scene.NodeRemovedEvent, removed),
        ]

    def stop(self) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags = []
