"""The scene and its four views: what is shown in them and how. Knows no session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition

from . import cures


@dataclass(frozen=True)
class Preset:
    """A window for CT: how wide, around which HU."""

    name: str
    window_hu: float
    level_hu: float


PRESETS = (
    Preset("Soft tissue", 400, 40),
    Preset("Brain", 80, 40),
    Preset("Bone", 2000, 500),
    Preset("Lung", 1500, -600),
)
FILL_OPACITY, LINE_PX = 0.25, 2
_BACKGROUND = ("#14171a", "#2b3036")
_STILL_QUALITY, _MOVING_QUALITY = 95, 80

DrawFrame = Callable[[Any, str, Any], None]


class Viewer:
    """Slicer without Qt: one scene, three slice views and a surface view.

    Parameters
    ----------
    server : trame server. slice_frame, surface_frame : draw what lies over a view on the page; called with the server,
        the view's name and the view.
    """

    def __init__(self, server: Any, slice_frame: DrawFrame, surface_frame: DrawFrame):
        self.app = SlicerApp()
        manager = self.app.view_manager
        register_rca_factories(
            manager,
            server,
            slice_view_ui_f=slice_frame,
            three_d_view_ui_f=surface_frame,
            interactive_quality=_MOVING_QUALITY,
            blur_fps=20.0,
        )
        cures.quiet_construction(manager)
        self.layout = LayoutManager(self.app.scene, manager, server)
        self.layout.register_layout("four", _four_views())
        self.layout.set_layout("four")
        cures.register_views(self.app)
        for view in manager.get_slice_views():
            view.render_window().SetMultiSamples(0)
            cures.image_first(view)
        for view in manager.get_threed_views():
            view.render_window().SetMultiSamples(4)
        self.volume_node: Any = None

    @property
    def scene(self) -> Any:
        return self.app.scene

    def show(self, volume_node: Any) -> None:
        """Put a scan into the slice views, whole, in their middle."""
        self.volume_node = volume_node
        cures.no_volume_rendering(self.app, volume_node)
        if volume_node is not None:
            self.app.display_manager.reset_views()
        cures.no_slice_models(self.app)

    def set_preset(self, preset: Preset) -> None:
        display = None if self.volume_node is None else self.volume_node.GetDisplayNode()
        if display is not None:
            display.SetAutoWindowLevel(False)
            display.SetWindowLevel(preset.window_hu, preset.level_hu)

    def dress(self, segmentation_node: Any) -> None:
        """Outlines and a translucent fill in the slices, surfaces in 3D; the segments' own colours."""
        display = segmentation_node.GetDisplayNode()
        if display is None:
            segmentation_node.CreateDefaultDisplayNodes()
            display = segmentation_node.GetDisplayNode()
        display.SetVisibility2DFill(True)
        display.SetVisibility2DOutline(True)
        display.SetOpacity2DFill(FILL_OPACITY)
        display.SetOpacity2DOutline(1.0)
        display.SetSliceIntersectionThickness(LINE_PX)
        display.SetVisibility3D(True)

    def show_surfaces(self, segmentation_node: Any) -> None:
        """Make the closed surfaces, where they are missing, and look at them all."""
        segmentation = segmentation_node.GetSegmentation()
        if segmentation.GetNumberOfSegments() and not segmentation.ContainsRepresentation("Closed surface"):
            segmentation_node.CreateClosedSurfaceRepresentation()
            self.reset_surface_view()

    def reset_surface_view(self) -> None:
        for view in self.app.view_manager.get_threed_views():
            view.reset_view()

    def set_fill(self, opacity: float, segmentation_node: Any) -> None:
        """How dense the fill is, 0..1; the outline stays."""
        if segmentation_node is not None and segmentation_node.GetDisplayNode() is not None:
            segmentation_node.GetDisplayNode().SetOpacity2DFill(min(max(opacity, 0.0), 1.0))

    def start_placing(self, node: Any) -> None:
        """The mouse places ``node``: one click for a point, two for a box; then it is a mouse again."""
        self.app.markups_logic.place_node(node, persistent=False)

    def stop_placing(self) -> None:
        self.app.markups_logic.disable_place_mode()

    @property
    def placing(self) -> bool:
        """True while the next click places something."""
        node = self.app.markups_logic.interaction_node
        return node is not None and node.GetCurrentInteractionMode() == node.Place


def _four_views() -> Layout:
    column = LayoutDirection.Vertical
    return Layout(
        LayoutDirection.Horizontal,
        [
            Layout(column, [ViewLayoutDefinition.axial_view("Axial"), ViewLayoutDefinition.coronal_view("Coronal")]),
            Layout(
                column,
                [
                    ViewLayoutDefinition.threed_view(name="Surface", background_color=_BACKGROUND),
                    ViewLayoutDefinition.sagittal_view("Sagittal"),
                ],
            ),
        ],
    )
