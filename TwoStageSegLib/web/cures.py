"""Work-arounds for trame-slicer 2.0.0, each with what goes wrong without it. Look here first when it is updated.

Loading data from code, and not through trame-slicer's own upload button, needs all of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from trame_slicer.views.render_scheduler import NoScheduleRendering
from vtkmodules.vtkCommonCore import vtkCommand


def register_views(app: Any) -> None:
    """Clear the scene once the views exist, before anything is loaded.

    The editor's pipelines are otherwise made before their views are known to it, and painting fails with
    ``'NoneType' object has no attribute 'paint_interaction_stopped'``.
    """
    app.scene.Clear()


def quiet_construction(view_manager: Any) -> None:
    """Views are made without drawing.

    A view draws at once at every change until the page's scheduler is given to it, after it was made: 240 pictures
    that nobody sees, three seconds of a start.
    """
    for factory in view_manager._factories:
        factory._view_ctor = partial(factory._view_ctor, scheduled_render_strategy=NoScheduleRendering())


def image_first(slice_view: Any) -> None:
    """Keep the slice's image the first of the props that are drawn.

    The image actor is added when the first volume is shown, behind segments that exist by then; their translucent fill
    is blended with black. Checked before every picture, because VTK changes the order again (after an undo).
    """
    renderer, image = slice_view.first_renderer(), slice_view._render_manager.image_actor

    def sort(*_: Any) -> None:
        props = renderer.GetViewProps()
        if not renderer.HasViewProp(image) or props.GetItemAsObject(0) is image:
            return
        others = [props.GetItemAsObject(i) for i in range(props.GetNumberOfItems())]
        others = [prop for prop in others if prop is not image]
        renderer.RemoveAllViewProps()
        for prop in (image, *others):
            renderer.AddViewProp(prop)

    renderer.AddObserver(vtkCommand.StartEvent, sort)


def no_slice_models(app: Any) -> None:
    """Remove the models that show slices in 3D, which this page does not offer.

    A slice that is moved moves its model, and for that every other view is drawn again: three pictures for one.
    """
    for view in app.view_manager.get_slice_views():
        model = view._logic.GetSliceModelNode()
        if model is not None:
            app.scene.RemoveNode(model)


def no_volume_rendering(app: Any, volume_node: Any) -> None:
    """Show a volume in the slice views only.

    ``DisplayManager.show_volume`` switches volume rendering on, which takes seconds per picture on a CPU and stops
    every other answer meanwhile.
    """
    app.display_manager.show_volume_in_slice_background(volume_node)
    app.display_manager.show_volume_in_slice_foreground(None)
