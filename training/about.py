"""What was measured, where and with how much: the part of a result that is not in its figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from safetensors import safe_open

from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.packed import SIZE, STEPS


def bundle_facts(model: Model) -> dict[str, Any]:
    """What a bundle tells of itself; ``location_error`` as its manifest states it."""
    manifest = model.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "sha256": model.sha256,
        "system": manifest.system,
        "organ_networks": {organ.name: organ.network for organ in manifest.organs},
        "parameters": sum(parameter_count(model.file(n.file)) for n in manifest.networks.values()),
        "location_error": manifest.evaluation.get("location_error", {}),
    }


def about_bundle(model: Model, device: str, split: str, grade: str, cases: int) -> dict[str, Any]:
    """Plain values for ``about.json`` of one evaluation; call it when the evaluation has run (peak memory)."""
    return bundle_facts(model) | about_run(device, split, grade, cases)


def about_run(device: str, split: str, grade: str, cases: int) -> dict[str, Any]:
    """The part that every evaluation has."""
    return {"device": device, "split": split, "grade": grade, "cases": cases, "peak_mb": peak_mb()}


def parameter_count(weights: Path) -> int:
    """Numbers in a safetensors file, running statistics of norms included, the sizes of packed weights not."""
    with safe_open(weights, "np") as file:
        names = set(file.keys())
        own = (n for n in names if not (n.endswith(SIZE) and n.removesuffix(SIZE) + STEPS in names))
        return sum(math.prod(file.get_slice(name).get_shape()) for name in own)


def peak_mb() -> int | None:
    """Peak resident memory of this process, MB (10**6 bytes), the cases in it included; None where it is not told."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = next((line.split()[1] for line in lines if line.startswith("VmHWM")), None)
    return None if kib is None else round(int(kib) * 1024 / 1e6)
