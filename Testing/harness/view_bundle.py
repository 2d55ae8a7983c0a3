"""A ``multi-view`` bundle of very small, untrained networks: a midline organ, and a pair by mirroring."""

from __future__ import annotations

from pathlib import Path

from .small_bundle import Small, write_small_bundle

ORGANS = {"Larynx": ("larynx", False), "Parotid_R": ("parotid", False), "Parotid_L": ("parotid", True)}
OUTPUTS = ("background", *ORGANS)
FLAT = {"outputs": 4, "widths": [4, 4, 8, 8], "squeeze": 4}
SOLID = {"dims": 3, "outputs": 1, "widths": [4, 4, 8, 8], "squeeze": 4}
NETWORKS = {
    **{role: Small("seunet", FLAT, (8, 8), OUTPUTS) for role in ("axial", "coronal", "sagittal")},
    **{role: Small("seunet", SOLID, (8, 8, 8), (role,)) for role in ("larynx", "parotid")},
}
WEIGHTS = {"axial": [0.5, 0.6, 0.2, 0.2], "coronal": [0.25, 0.3, 0.3, 0.3], "sagittal": [0.25, 0.1, 0.5, 0.5]}


def write_view_bundle(folder: Path) -> Path:
    """Make the bundle ``folder``: crops of 48 mm, margins of 6 mm."""
    organs = [
        {"name": name, "network": network, "output": 0, "mirror": mirror, "crop_mm": [48.0] * 3, "margin_mm": [6.0] * 6}
        for name, (network, mirror) in ORGANS.items()
    ]
    return write_small_bundle(folder, "multi-view", NETWORKS, organs, {"view_weights": WEIGHTS})
