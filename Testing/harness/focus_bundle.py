"""A ``focus`` bundle of very small, untrained networks: a large organ and two small ones, one by the scan alone."""

from __future__ import annotations

from pathlib import Path

from .small_bundle import Small, write_small_bundle

ORGANS = {"Brainstem": ("segment", 1), "OpticChiasm": ("chiasm", 0), "Lens_R": ("lens", 0)}
WIDTH = 4
NETWORKS = {
    "segment": Small(
        "s-net", {"outputs": 2, "widths": [WIDTH, 4, 4], "growth": 2}, (4, 8, 8), ("background", "Brainstem")
    ),
    "locate": Small("sol-net", {"inputs": WIDTH, "outputs": 2, "width": 4}, (4, 8, 8), ("OpticChiasm", "Lens_R")),
    "chiasm": Small("sos-net", {"inputs": 2 * WIDTH + 2, "width": 4}, (4, 8, 8), ("OpticChiasm",)),
    "lens": Small("sos-net", {"inputs": 1, "width": 4}, (4, 8, 8), ("Lens_R",)),
}
PARAMETERS = {"field_mm": 144.0, "chunk_slices": 24, "chunk_stride": 12}


def write_focus_bundle(folder: Path) -> Path:
    """Make the bundle ``folder``: crops of 48 mm (36 of the small organs), margins of 6 mm."""
    organs = [
        {"name": name, "network": network, "output": output, "crop_mm": [36.0 if output == 0 else 48.0] * 3}
        | {"margin_mm": [6.0] * 6, "located_score": 0.4, "low_score": 0.6}
        for name, (network, output) in ORGANS.items()
    ]
    return write_small_bundle(folder, "focus", NETWORKS, organs, PARAMETERS)
