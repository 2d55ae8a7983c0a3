"""A picture of a real Slicer slice view, offscreen: what the user sees, volume, segments, markups and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from .minislicer import MiniSlicer

_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)


class SliceShot:
    """One slice view of a scene.

    Parameters
    ----------
    mini : the booted core. width, height : of the picture, pixels.
    orientation : "Axial", "Coronal" or "Sagittal". name : layout name of the view, its own for each view.
    """

    def __init__(
        self, mini: MiniSlicer, width: int = 500, height: int = 500, orientation: str = "Axial", name: str = "Red"
    ):
        self._size = (width, height)
        self._slice_logics = mini.app_logic.GetSliceLogics()
        self._window, self._renderer = _offscreen(width, height)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self._window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._group = _managers(mini.app_logic, self._renderer)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(mini.app_logic)
        self._slice_logics.AddItem(self.logic)
        self.logic.SetMRMLScene(mini.scene)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self._group.SetMRMLDisplayableNode(self.node)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._background = vtk.vtkActor2D()
        self._background.SetMapper(self._mapper)
        self._background.GetProperty().SetDisplayLocationToBackground()
        self.logic.ResizeSliceNode(width, height)

    def show(self, volume_node: Any) -> None:
        """Put a volume into the view and fit it."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume_node.GetID())
        self.logic.FitSliceToBackground()
        self.node.UpdateMatrices()

    def go_to(self, point_ras: tuple[float, float, float]) -> None:
        """Centre the view on a RAS point."""
        self.node.JumpSliceByCentering(*point_ras)

    def pixel_of(self, point_ras: tuple[float, float, float]) -> tuple[int, int]:
        """Row and column, counted from the picture's top left, at which a RAS point is seen."""
        to_ras = self.node.GetXYToRAS()
        to_xy = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(to_ras, to_xy)
        x, y, _, _ = to_xy.MultiplyPoint((*point_ras, 1.0))
        return self._size[1] - 1 - round(y), round(x)

    def picture(self) -> NDArray[np.uint8]:
        """Render: ``(row, column, RGB)``, first row on top."""
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self._image_first()
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1, :, :3].copy()

    def save(self, path: Path) -> None:
        """Render into a PNG file."""
        from PIL import Image

        Image.fromarray(self.picture()).save(path)

    def close(self) -> None:
        """Take the view and its nodes out of the scene and free the window.

        A second view on a slice node that is left over (the scene keeps them when it is cleared) would not move.
        """
        self._slice_logics.RemoveItem(self.logic)
        scene = self.logic.GetMRMLScene()
        for node in (self.logic.GetSliceCompositeNode(), self.node):
            scene.RemoveNode(node)
        self.logic.SetMRMLScene(None)
        self._window.Finalize()

    def _image_first(self) -> None:
        """The slice picture must be the renderer's first prop, or translucent segments blend with black."""
        props = self._renderer.GetViewProps()
        others = [props.GetItemAsObject(i) for i in range(props.GetNumberOfItems())]
        if others and others[0] is self._background:
            return
        self._renderer.RemoveAllViewProps()
        self._renderer.AddViewProp(self._background)
        for prop in others:
            if prop is not self._background:
                self._renderer.AddViewProp(prop)


def _offscreen(width: int, height: int) -> tuple[Any, Any]:
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(width, height)
    renderer = vtk.vtkRenderer()
    renderer.GetActiveCamera().ParallelProjectionOn()
    window.AddRenderer(renderer)
    return window, renderer


def _managers(app_logic: Any, renderer: Any) -> Any:
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(app_logic)
    for name in _MANAGERS:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    return group
