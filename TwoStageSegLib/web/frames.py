"""What lies over a view on the page: its name, the sides of the patient, where the slice is, a slider."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame_slicer.app.logic.slice_view_logic import connect_slice_view_slider_to_state

# left, right, top and bottom of the picture
SIDES = {"Axial": ("R", "L", "A", "P"), "Coronal": ("R", "L", "S", "I"), "Sagittal": ("A", "P", "S", "I")}


def slice_frame(server: Any, name: str, view: Any) -> None:
    """Over a slice view."""
    slider = connect_slice_view_slider_to_state(server, view)
    left, right, top, bottom = SIDES[name]
    place, low, high, step = (slider.name.value, slider.name.min_value, slider.name.max_value, slider.name.step)
    html.Div(
        f"""
        <div class="view-frame" data-view="{name}">
        <span class="view-name">{name}</span>
        <span class="view-place">{{{{ {place}.toFixed(1) }}}} mm</span>
        <span class="side left" aria-hidden="true">{left}</span>
        <span class="side right" aria-hidden="true">{right}</span>
        <span class="side top" aria-hidden="true">{top}</span>
        <span class="side bottom" aria-hidden="true">{bottom}</span>
        <input class="slice-slider" type="range" aria-label="{name} slice" title="{name} slice"
          :min="{low}" :max="{high}" :step="{step}" :value="{place}"
          @input="set('{place}', Number($event.target.value)); flushState('{place}')">
        </div>
        """
    )


def surface_frame(_server: Any, _name: str, view: Any) -> None:
    """Over the surface view."""
    with html.Div(classes="view-frame"):
        html.Span("3D", classes="view-name")
        html.Button(
            "Reset", classes="small view-reset", type="button", title="Look at everything", click=view.reset_view
        )
