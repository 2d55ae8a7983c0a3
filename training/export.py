"""Turns a finished run into a model bundle: weights, manifest, self-test and model card, calibrated and verified."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from TwoStageSegLib import __version__
from TwoStageSegLib.device import Device
from TwoStageSegLib.manifest import (
    SCHEMA,
    FileEntry,
    InputSpec,
    Licence,
    Manifest,
    NetworkSpec,
    OrganSpec,
    SelfTest,
)
from TwoStageSegLib.model import CARD, Model, sha256_of, verify
from TwoStageSegLib.structures import structure, structures
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.preprocess import PERCENTILES
from TwoStageSegLib.systems.runner import build

from .calibrate import calibrate
from .card import card_text
from .data.prepared import Case, air_of
from .recipes.recipe import Recipe, Target
from .sources import Source

SELF_TEST = "selftest.safetensors"

COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Of organs that the table of structures does not know, by turns: Okabe and Ito 2008, told apart by everybody."""


def export(
    recipe: Recipe, source: Source, run: Path, target: Path, validation: list[Case], version: str, weights: str = "best"
) -> Model:
    """Write the bundle of ``run`` to ``target`` (replaced only once the new one has verified).

    ``weights`` names the checkpoint of each network's folder. Margins and thresholds are measured on ``validation``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        folder = Path(scratch) / target.name
        folder.mkdir()
        for role in ("locate", *recipe.segmenters):
            _half(run / role / f"{_chosen(weights, role)}.safetensors", folder / f"{role}.safetensors")
        manifest = _manifest(recipe, source, version)
        _write_self_test(folder, manifest)
        model = write_manifest(folder, manifest)
        organs = calibrate(model, validation)
        model = write_manifest(folder, replace(model.manifest, organs=organs))
        create(model, Device("cpu", "CPU", half=False)).self_test()
        old = Path(scratch) / "old"
        if target.exists():
            os.replace(target, old)
        os.replace(folder, target)
        shutil.rmtree(old, ignore_errors=True)
    return verify(target)


def write_manifest(folder: Path, manifest: Manifest) -> Model:
    """(Re)write manifest and model card of a bundle folder, with fresh hashes, and verify it."""
    (folder / CARD).write_text(card_text(manifest), encoding="utf-8")
    names = sorted(p.name for p in folder.iterdir() if p.name != "manifest.json")
    for name in names:
        (folder / name).chmod(0o644)  # safetensors makes private files; a bundle is for every user of the machine
    files = {n: FileEntry(sha256_of(folder / n), (folder / n).stat().st_size) for n in names}
    temporary = folder.parent / f".{folder.name}.manifest"
    temporary.write_text(replace(manifest, files=files).to_json(), encoding="utf-8")
    os.replace(temporary, folder / "manifest.json")
    return verify(folder)


def _manifest(recipe: Recipe, source: Source, version: str) -> Manifest:
    channels = recipe.channels
    return Manifest(
        schema=SCHEMA,
        name=recipe.name,
        version=version,
        title=source.title,
        system="localise-crop",
        created=datetime.date.today().isoformat(),
        code_version=__version__,
        licence=Licence(source.weights_licence, [source.data_licence], source.attribution),
        intended_use=source.intended_use,
        not_for=source.not_for,
        regulatory_status="Not a medical device. Research use only.",
        input=_input(recipe),
        organs=[_organ(t, recipe) for name in recipe.organs for t in recipe.targets if t.organ == name],
        networks={
            "locate": _network("locate", recipe.organs, recipe.locate_widths, recipe.locate_spacing),
            **{
                role: _network(role, channels, recipe.segment_widths, recipe.segment_spacing)
                for role in recipe.segmenters
            },
        },
        parameters={
            "average_mirror": recipe.average_mirror,
            "box_slack_mm": recipe.box_slack_mm,
            "recentre_mm": recipe.recentre_mm,
        },
        self_test=SelfTest(SELF_TEST, 2e-3),
        files={},
        references=source.references,
    )


def _input(recipe: Recipe) -> InputSpec:
    """Preprocessing as the prepared cases were trained on."""
    own_range = None if recipe.modality == "CT" else list(PERCENTILES)
    return InputSpec(
        recipe.modality, list(recipe.clip), recipe.centre, recipe.scale, air_of(recipe.modality), own_range
    )


def _organ(target: Target, recipe: Recipe) -> OrganSpec:
    known = structure(target.organ)
    return OrganSpec(
        name=target.organ,
        output=recipe.channels.index(target.channel),
        mirror=target.organ != target.channel,
        crop_mm=[n * s for n, s in zip(target.crop_shape, recipe.segment_spacing, strict=True)],
        margin_mm=[0.0] * 6,
        located_score=0.01,
        low_score=0.01,
        threshold=0.5,
        volume_ml=[0.0, 1e6],
        terminology=known.terminology,
        rgb=list(
            known.rgb if target.organ in structures() else COLOURS[recipe.organs.index(target.organ) % len(COLOURS)]
        ),
        network=target.network,
    )


def _network(role: str, outputs: tuple[str, ...], widths: tuple[int, ...], spacing: tuple[float, ...]) -> NetworkSpec:
    arguments = {"dims": 3, "inputs": 1, "outputs": len(outputs), "widths": list(widths), "groups": 8}
    return NetworkSpec("unet", arguments, f"{role}.safetensors", list(spacing), list(outputs))


def _half(source: Path, target: Path) -> None:
    """Copy weights in half precision: half the size, and the rounding is below that of bf16 inference."""
    save_file({k: v.half().contiguous() for k, v in load_file(source).items()}, target)


def _write_self_test(folder: Path, manifest: Manifest) -> None:
    tensors = {}
    rng = np.random.default_rng(0)
    for role, spec in manifest.networks.items():
        network = build(spec)
        network.load_state_dict(load_file(folder / spec.file))
        x = torch.from_numpy(rng.normal(size=(1, 1, 16, 16, 16)).astype(np.float32))
        with torch.inference_mode():
            tensors[f"{role}.input"], tensors[f"{role}.expected"] = x, network.eval()(x).contiguous()
    save_file(tensors, folder / SELF_TEST)


def _chosen(weights: str, role: str) -> str:
    """``best`` for every role, or the role's own of ``locate=best,segment=at_025min``."""
    if "=" not in weights:
        return weights
    return dict(part.split("=", 1) for part in weights.split(","))[role]


def budget(run: Path, roles: Iterable[str]) -> str:
    """Steps and minutes of each network of a run, in words."""
    parts = []
    for role in roles:
        raw = json.loads(next((run / role).glob("state_*.json")).read_text(encoding="utf-8"))
        parts.append(f"{role} {raw['step']} steps, {raw['seconds'] / 60:.0f} min on {raw.get('where', 'one CPU core')}")
    return "; ".join(parts)
