"""A bundle of real, very small, untrained networks: everything runs as with a trained one, the organs are noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .bundles import ORGANS, manifest_values, write_fake_bundle, write_manifest

ARGUMENTS = {"dims": 3, "inputs": 1, "outputs": len(ORGANS), "widths": [4, 8], "groups": 4}


def write_untrained_bundle(folder: Path) -> Path:
    """Make the bundle ``folder``; its self-test holds what its networks really answer."""
    write_networks(folder)
    write_manifest(folder, untrained_values(folder))
    return folder


def write_stand_in(folder: Path) -> Path:
    """As ``write_untrained_bundle``, described as the shipped ``phantom`` is: a midline organ, and a pair by mirroring.

    Three output channels: Larynx, Parotid_R (which Parotid_L uses mirrored), one that no organ uses.
    """
    write_networks(folder)
    values = untrained_values(folder)
    values["input"] |= {"clip": [-300.0, 700.0], "centre": 0.0, "scale": 150.0}
    organs = {"Larynx": (0, False), "Parotid_R": (1, False), "Parotid_L": (1, True)}
    for given, (name, (output, mirror)) in zip(values["organs"], organs.items(), strict=True):
        given |= {"name": name, "output": output, "mirror": mirror, "crop_mm": [80.0, 96.0, 96.0]}
    values["networks"]["locate"]["outputs"] = list(organs)
    values["networks"]["segment"]["outputs"] = ["Larynx", "Parotid_R", "unused"]
    values["networks"]["segment"]["spacing_mm"] = [4.0, 4.0, 4.0]
    values["parameters"] = {"average_mirror": True, "box_slack_mm": 3.0, "recentre_mm": 8.0}
    write_manifest(folder, values)
    return folder


def untrained_values(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that ``write_networks`` made."""
    values = manifest_values(folder, "untrained")
    for role in ("locate", "segment"):
        values["networks"][role] |= {"arguments": ARGUMENTS, "file": f"{role}.safetensors"}
    return values


def write_networks(folder: Path) -> None:
    """Weights, self-test and card of two networks, the same at every call."""
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
