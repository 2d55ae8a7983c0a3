"""Where files that ship with the product are, in a source tree and in an installed package."""

from __future__ import annotations

import os
from pathlib import Path


def resource_root() -> Path:
    """The ``Resources`` folder: ``TWOSTAGESEG_RESOURCES``, beside the package, or inside the installed package."""
    candidates = [Path(__file__).resolve().parent.parent / "Resources", Path(__file__).resolve().parent / "Resources"]
    if configured := os.environ.get("TWOSTAGESEG_RESOURCES"):
        candidates.insert(0, Path(configured))
    for candidate in candidates:
        if (candidate / "structures.json").is_file():
            return candidate
    raise FileNotFoundError(f"TwoStageSeg's Resources folder is missing; looked in {', '.join(map(str, candidates))}")


def resource_path(name: str) -> Path:
    return resource_root() / name
