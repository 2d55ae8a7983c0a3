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
        f"  organ          {name.ljust(width)}  {manifest.measured(name) or 'accuracy not measured'}"
        for name in manifest.organ_names
    ]
