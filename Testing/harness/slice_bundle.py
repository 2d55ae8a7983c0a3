"""A ``slice-centre`` bundle of very small, untrained networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .bundles import manifest_values, write_fake_bundle, write_manifest

ORGANS = ("Esophagus", "SpinalCord")
NETWORKS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "locate": ("centernet", {"outputs": 2, "widths": [4, 4, 4, 4], "up": [4, 4, 4], "hidden": 4}, (32, 32)),
    "segment": ("unet", {"dims": 2, "outputs": 2, "widths": [4, 8], "norm": "batch"}, (8, 8)),
    "chunk": ("unet", {"outputs": 2, "widths": [4, 8], "norm": "batch", "pools": [[1, 2, 2]]}, (4, 8, 8)),
}


def write_slice_bundle(folder: Path, chunk: bool = True) -> Path:
    """Make the bundle ``folder``: 3 mm pixels, crops of 48 mm; ``chunk``: with the 3D network."""
    import torch
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as save_weights

    from TwoStageSegLib.manifest import NetworkSpec
    from TwoStageSegLib.systems.runner import build

    write_fake_bundle(folder, "slices")
    (folder / "weights.safetensors").unlink()
    tensors = {}
    roles = [role for role in NETWORKS if chunk or role != "chunk"]
    for seed, role in enumerate(roles):
        architecture, arguments, size = NETWORKS[role]
        torch.manual_seed(seed)
        network = build(NetworkSpec(architecture, arguments, "", [3.0] * 3, list(ORGANS))).eval()
        save_weights(network.state_dict(), folder / f"{role}.safetensors")
        given = np.linspace(-1, 1, int(np.prod(size)), dtype=np.float32).reshape(1, 1, *size)
        with torch.inference_mode():
            tensors |= {f"{role}.input": given, f"{role}.expected": network(torch.from_numpy(given)).numpy()}
    save_file(tensors, folder / "selftest.safetensors")
    values = manifest_values(folder, "slices")
    values["system"] = "slice-centre"
    values["networks"] = {
        role: {
            "architecture": NETWORKS[role][0],
            "arguments": NETWORKS[role][1],
            "file": f"{role}.safetensors",
            "spacing_mm": [3.0, 3.0, 3.0],
            "outputs": list(ORGANS),
        }
        for role in roles
    }
    values["organs"] = [
        organ | {"name": name, "output": i, "crop_mm": [48.0, 48.0, 48.0], "located_score": 0.3, "low_score": 0.6}
        for i, (name, organ) in enumerate(zip(ORGANS, values["organs"], strict=False))
    ]
    values["input"] |= {"clip": [-300.0, 700.0], "centre": 0.0, "scale": 150.0}
    values["parameters"] = {"field_mm": 192.0, "chunk_slices": 8}
    write_manifest(folder, values)
    return folder
