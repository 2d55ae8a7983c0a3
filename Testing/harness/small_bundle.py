"""A bundle of very small, untrained networks for any system, with the self-test that they really answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .bundles import manifest_values, write_fake_bundle, write_manifest


@dataclass(frozen=True)
class Small:
    """One network: its architecture, arguments, the size of its self-test's input and its outputs."""

    architecture: str
    arguments: dict[str, Any]
    size: tuple[int, ...]
    outputs: tuple[str, ...]


def write_small_bundle(
    folder: Path, system: str, networks: dict[str, Small], organs: list[dict[str, Any]], parameters: dict[str, Any]
) -> Path:
    """Make the bundle ``folder``: 3 mm pixels everywhere; ``organs`` holds what differs from those of ``bundles``."""
    import torch
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as save_weights

    from TwoStageSegLib.manifest import NetworkSpec
    from TwoStageSegLib.systems.runner import build, joined

    write_fake_bundle(folder, "slices")
    (folder / "weights.safetensors").unlink()
    tensors: dict[str, np.ndarray] = {}
    for seed, (role, small) in enumerate(networks.items()):
        torch.manual_seed(seed)
        network = build(NetworkSpec(small.architecture, small.arguments, "", [3.0] * 3, list(small.outputs))).eval()
        save_weights(network.state_dict(), folder / f"{role}.safetensors")
        shape = (1, small.arguments.get("inputs", 1), *small.size)
        given = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        with torch.inference_mode():
            tensors |= {f"{role}.input": given, f"{role}.expected": joined(network(torch.from_numpy(given))).numpy()}
    save_file(tensors, folder / "selftest.safetensors")
    values = manifest_values(folder, "slices")
    values["system"] = system
    values["networks"] = {
        role: {
            "architecture": small.architecture,
            "arguments": small.arguments,
            "file": f"{role}.safetensors",
            "spacing_mm": [3.0, 3.0, 3.0],
            "outputs": list(small.outputs),
        }
        for role, small in networks.items()
    }
    values["organs"] = [organ | own for organ, own in zip(values["organs"], organs, strict=False)]
    values["input"] |= {"clip": [-300.0, 700.0], "centre": 0.0, "scale": 150.0}
    values["parameters"] = parameters
    write_manifest(folder, values)
    return folder
