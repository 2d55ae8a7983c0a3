"""A mouse in a slice view: events go through Slicer's own interaction style and markups, as a user's do."""

from __future__ import annotations

from typing import Any

import slicer

from .sliceshot import SliceShot

Point = tuple[float, float, float]


class SliceMouse:
    """Clicks and drags in one slice view.

    Parameters
    ----------
    view : the view. Points are RAS mm; the view is moved to the slice that holds them first.
    """

    def __init__(self, view: SliceShot):
        self._view = view
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(view.logic)
        self._style.SetDisplayableManagers(view._group)
        self._style.SetInteractor(view.interactor)

    def click(self, point_ras: Point) -> None:
        """Move there and click: places a point if the view is in place mode."""
        self._view.go_to(point_ras)
        self._view.picture()
        self._events(point_ras, "EnterEvent", "MouseMoveEvent", "LeftButtonPressEvent", "LeftButtonReleaseEvent")

    def move(self, point_ras: Point) -> None:
        """Move the pointer, no button down."""
        self._events(point_ras, "EnterEvent", "MouseMoveEvent")

    def drag(self, start_ras: Point, end_ras: Point, steps: int = 4) -> None:
        """Press at one point, move to another in the same slice, release."""
        self._view.go_to(start_ras)
        self._view.picture()
        self._events(start_ras, "EnterEvent", "MouseMoveEvent", "LeftButtonPressEvent")
        for step in range(1, steps + 1):
            part = step / steps
            between = tuple(a + (b - a) * part for a, b in zip(start_ras, end_ras, strict=True))
            self._events((between[0], between[1], between[2]), "MouseMoveEvent")
        self._events(end_ras, "LeftButtonReleaseEvent")

    def release(self) -> None:
        """Let go of the view."""
        self._style.SetInteractor(None)
        self._style.SetDisplayableManagers(None)

    def _events(self, point_ras: Point, *names: str) -> None:
        row, column = self._view.pixel_of(point_ras)
        _, height = self._view._size
        interactor: Any = self._view.interactor
        interactor.SetEventInformation(column, height - 1 - row)
        for name in names:
            interactor.InvokeEvent(name)
