"""A complete, valid model bundle without networks, for tests of everything around them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L")
TENSORS = {"weights.safetensors": 40, "selftest.safetensors": 8}


def write_fake_bundle(folder: Path, name: str = "fake") -> Path:
    """Make the bundle ``folder`` (which must not exist); its files are real safetensors of random numbers."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    for file, count in TENSORS.items():
        save_file({"t": np.arange(count, dtype=np.float32)}, folder / file)
    (folder / "MODEL_CARD.md").write_text("# A bundle for tests\n", encoding="utf-8")
    write_manifest(folder, manifest_values(folder, name))
    return folder


def write_manifest(folder: Path, values: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(values), encoding="utf-8")


def manifest_values(folder: Path, name: str = "fake") -> dict[str, Any]:
    """The manifest of a bundle folder as plain values, with the sizes and hashes of the files that lie there."""
    entries = {
        p.name: {"sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "bytes": p.stat().st_size}
        for p in sorted(folder.iterdir())
        if p.name != "manifest.json"
    }
    return {
        "schema": "twostageseg/1",
        "name": name,
        "version": "0.0.1",
        "title": "Bundle for tests",
        "system": "localise-crop",
        "created": "2026-01-01",
        "code_version": "0.1.0",
        "licence": {"weights": "CC0-1.0", "training_data": ["none"], "attribution": []},
        "intended_use": "Tests.",
        "not_for": ["patients"],
        "regulatory_status": "not a medical device",
        "input": {"modality": "CT", "clip": [-200.0, 300.0], "centre": 50.0, "scale": 250.0, "outside": -1024.0},
        "organs": [_organ(organ, i) for i, organ in enumerate(ORGANS)],
        "networks": {
            role: {
                "architecture": "unet",
                "arguments": {},
                "file": "weights.safetensors",
                "spacing_mm": [6.0, 6.0, 6.0],
                "outputs": list(ORGANS),
            }
            for role in ("locate", "segment")
        },
        "parameters": {},
        "self_test": {"file": "selftest.safetensors", "atol": 0.001},
        "files": entries,
        "references": [],
    }


def _organ(name: str, output: int) -> dict[str, Any]:
    return {
        "name": name,
        "output": output,
        "mirror": False,
        "crop_mm": [40.0, 40.0, 40.0],
        "margin_mm": [5.0] * 6,
        "located_score": 0.2,
        "low_score": 0.5,
        "threshold": 0.5,
        "volume_ml": [1.0, 60.0],
        "terminology": "",
        "rgb": [100, 150, 200],
    }
