"""A ``slice-filter`` bundle of very small, untrained networks."""

from __future__ import annotations

from pathlib import Path

from .small_bundle import Small, write_small_bundle

ORGAN = "GTV"
OUTPUTS = ("background", ORGAN)
NETWORKS = {
    "locate": Small("slice-classifier", {"widths": [4] * 4}, (32, 32), OUTPUTS),
    "segment": Small("sanet", {"widths": [4] * 4, "width": 4}, (32, 32), OUTPUTS),
}


def write_filter_bundle(folder: Path) -> Path:
    """Make the bundle ``folder``: a field of 192 mm, a click followed by itself for 24 mm up and down."""
    organ = {"name": ORGAN, "output": 1, "crop_mm": [48.0, 48.0, 48.0], "margin_mm": [0.0] * 6}
    scores = {"located_score": 0.3, "low_score": 0.6}
    return write_small_bundle(folder, "slice-filter", NETWORKS, [organ | scores], {"field_mm": 192.0})
