"""A ``slice-centre`` bundle of very small, untrained networks."""

from __future__ import annotations

from pathlib import Path

from .small_bundle import Small, write_small_bundle

ORGANS = ("Esophagus", "SpinalCord")
NETWORKS = {
    "locate": Small("centernet", {"outputs": 2, "widths": [4] * 4, "up": [4, 4, 4], "hidden": 4}, (32, 32), ORGANS),
    "segment": Small("unet", {"dims": 2, "outputs": 2, "widths": [4, 8], "norm": "batch"}, (8, 8), ORGANS),
    "chunk": Small("unet", {"outputs": 2, "widths": [4, 8], "norm": "batch", "pools": [[1, 2, 2]]}, (4, 8, 8), ORGANS),
}


def write_slice_bundle(folder: Path, chunk: bool = True) -> Path:
    """Make the bundle ``folder``: crops of 48 mm; ``chunk``: with the 3D network."""
    organs = [
        {"name": name, "output": i, "crop_mm": [48.0, 48.0, 48.0], "located_score": 0.3, "low_score": 0.6}
        for i, name in enumerate(ORGANS)
    ]
    networks = {role: small for role, small in NETWORKS.items() if chunk or role != "chunk"}
    return write_small_bundle(folder, "slice-centre", networks, organs, {"field_mm": 192.0, "chunk_slices": 8})
