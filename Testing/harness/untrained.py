"""A bundle of real, very small, untrained networks: everything runs as with a trained one, the organs are noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .bundles import ORGANS, manifest_values, write_fake_bundle, write_manifest

ARGUMENTS = {"dims": 3, "inputs": 1, "outputs": len(ORGANS), "widths": [4, 8], "groups": 4}


def write_untrained_bundle(folder: Path) -> Path:
    """Make the bundle ``folder``; its self-test holds what its networks really answer."""
    import torch
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as save_weights

    from TwoStageSegLib.networks.unet import UNet

    write_fake_bundle(folder, "untrained")
    (folder / "weights.safetensors").unlink()
    tensors = {}
    for seed, role in enumerate(("locate", "segment")):
        torch.manual_seed(seed)
        network = UNet(**{**ARGUMENTS, "widths": tuple(ARGUMENTS["widths"])}).eval()
        save_weights(network.state_dict(), folder / f"{role}.safetensors")
        given = np.linspace(-1, 1, 8**3, dtype=np.float32).reshape(1, 1, 8, 8, 8)
        with torch.inference_mode():
            answer = network(torch.from_numpy(given)).numpy()
        tensors |= {f"{role}.input": given, f"{role}.expected": answer}
    save_file(tensors, folder / "selftest.safetensors")
    values = manifest_values(folder, "untrained")
    for role in ("locate", "segment"):
        values["networks"][role] |= {"arguments": ARGUMENTS, "file": f"{role}.safetensors"}
    write_manifest(folder, values)
    return folder
