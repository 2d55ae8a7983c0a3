"""``twostageseg models``: what is installed, what it is for, what it may be used for, how good it was measured."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .. import RESEARCH_NOTICE
from ..errors import ModelRefused
from ..manifest import Manifest
from ..model import installed_folders, verify
from . import Outcome


def run(options: Namespace) -> Outcome:
    """Verify and describe every installed bundle; a damaged one is listed with the reason."""
    blocks = [_describe(folder) for folder in installed_folders()]
    return Outcome("\n\n".join([*blocks, RESEARCH_NOTICE] if blocks else ["No models are installed."]))


def _describe(folder: Path) -> str:
    try:
        manifest = verify(folder).manifest
    except ModelRefused as error:
        return f"{folder.name}: cannot be used. {error}"
    lines = [
        f"{manifest.name} {manifest.version}: {manifest.title}",
        f"  intended use   {manifest.intended_use}",
        f"  not for        {'; '.join(manifest.not_for)}",
        f"  weights        {manifest.licence.weights}",
        *(f"  trained on     {text}" for text in manifest.licence.training_data),
        *_organ_lines(manifest),
    ]
    return "\n".join(lines)


def _organ_lines(manifest: Manifest) -> list[str]:
    width = max(len(name) for name in manifest.organ_names)
    return [
        f"  organ          {name.ljust(width)}  {_accuracy(manifest, name)}".rstrip() for name in manifest.organ_names
    ]


def _accuracy(manifest: Manifest, organ: str) -> str:
    """What ``python -m training evaluate`` wrote about automatic location; a bundle may not have been measured."""
    organs = manifest.evaluation.get("organs")
    entry = organs.get(organ) if isinstance(organs, dict) else None
    auto = entry.get("auto") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(auto, dict):
        return "accuracy not measured"
    figures = ((auto.get("dice"), "Dice {:.3f}"), (auto.get("hd95"), "HD95 {:.1f} mm"), (entry.get("n"), "{} cases"))
    return ", ".join(text.format(value) for value, text in figures if isinstance(value, int | float))
