"""What a recipe of ``slice-filter`` says of its bundle before anything is measured."""

from __future__ import annotations

from dataclasses import replace

from TwoStageSegLib.manifest import NetworkSpec

from ..base import Parts
from ..organs import organ_spec
from .recipe import SliceFilterRecipe

EVERY_SLICE = 1e-12
"""The ``slice_threshold`` of a bundle that does not filter: every slice of the body passes. Calibration keeps it."""

ANY_VOLUME = [0.0, 1e6]
"""How ``organ_spec`` leaves an organ's volumes: to be measured."""


def parts(r: SliceFilterRecipe) -> Parts:
    """Networks, organ and parameters."""
    outputs = ["background", r.organ]
    locate = {"inputs": 1, "outputs": 2, "widths": list(r.locate_widths)}
    segment = {
        "inputs": 1,
        "outputs": 2,
        "widths": list(r.segment_widths),
        "width": r.segment_width,
        "dropout": r.dropout,
    }
    networks = {
        "locate": NetworkSpec("slice-classifier", locate, "locate.safetensors", _grid(r, r.locate_pixel_mm), outputs),
        "segment": NetworkSpec("sanet", segment, "segment.safetensors", _grid(r, r.segment_pixel_mm), outputs),
    }
    organ = organ_spec(r.organ, 1, r.crop_mm)
    if r.volume_ml is not None:
        organ = replace(organ, volume_ml=list(r.volume_ml))
    settings = {
        "field_mm": r.field_mm,
        "slice_threshold": 0.5 if r.filtered else EVERY_SLICE,
        "close_gaps": 0,
    }
    return Parts(networks, [organ], settings)


def _grid(r: SliceFilterRecipe, pixel_mm: float) -> list[float]:
    return [r.slice_mm, pixel_mm, pixel_mm]
