"""Turns a finished run into a model bundle: weights, manifest, self-test and model card, calibrated and verified."""

from __future__ import annotations

import datetime
import inspect
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from TwoStageSegLib import __version__
from TwoStageSegLib.device import Device
from TwoStageSegLib.manifest import (
    SCHEMA,
    FileEntry,
    Licence,
    Manifest,
    SelfTest,
)
from TwoStageSegLib.model import CARD, Model, sha256_of, verify
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.packed import unpacked
from TwoStageSegLib.systems.runner import build, joined

from .card import card_text
from .data.prepared import Case
from .methods import Parts, method
from .methods.inputs import input_spec
from .methods.weights import save_half, save_packed
from .recipes.common import CommonRecipe
from .sources import Source

SELF_TEST = "selftest.safetensors"


def export(
    recipe: CommonRecipe,
    source: Source,
    run: Path,
    target: Path,
    validation: list[Case],
    version: str,
    weights: str = "best",
) -> Model:
    """Write the bundle of ``run`` to ``target`` (replaced only once the new one has verified).

    ``weights`` names the checkpoint of each network's folder. Margins and thresholds are measured on ``validation``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        folder = Path(scratch) / target.name
        folder.mkdir()
        how = method(recipe.system)
        for role, state in how.states(recipe, run, weights).items():
            write = save_packed if recipe.packed else save_half
            write(dict(state), folder / f"{role}.safetensors")
        manifest = _manifest(recipe, source, version, how.parts(recipe, run))
        _write_self_test(folder, manifest)
        model = write_manifest(folder, manifest)
        model = write_manifest(folder, how.calibrated(model, validation))
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


def _manifest(recipe: CommonRecipe, source: Source, version: str, parts: Parts) -> Manifest:
    return Manifest(
        schema=SCHEMA,
        name=recipe.name,
        version=version,
        title=source.title,
        system=recipe.system,
        created=datetime.date.today().isoformat(),
        code_version=__version__,
        licence=Licence(source.weights_licence, [source.data_licence], source.attribution),
        intended_use=source.intended_use,
        not_for=source.not_for,
        regulatory_status="Not a medical device. Research use only.",
        input=input_spec(recipe),
        organs=parts.organs,
        networks=parts.networks,
        parameters=parts.parameters,
        self_test=SelfTest(SELF_TEST, 2e-3),
        files={},
        references=source.references,
    )


def _write_self_test(folder: Path, manifest: Manifest) -> None:
    """A tiny random input per role and what its network answers, as ``runner.joined`` gives it."""
    tensors = {}
    rng = np.random.default_rng(0)
    for role, spec in manifest.networks.items():
        network = build(spec)
        network.load_state_dict(unpacked(load_file(folder / spec.file)))
        inputs = int(spec.arguments.get("inputs", _default(network, "inputs")))
        side = -(-16 // network.multiple) * network.multiple
        flat = next(w.ndim for w in network.parameters() if w.ndim > 3) == 4
        shape = (1, inputs, *((side,) * (2 if flat else 3)))
        x = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        with torch.inference_mode():
            tensors[f"{role}.input"], tensors[f"{role}.expected"] = x, joined(network.eval()(x)).contiguous()
    save_file(tensors, folder / SELF_TEST)


def _default(network: nn.Module, argument: str) -> Any:
    return inspect.signature(type(network)).parameters[argument].default


def budget(run: Path, roles: Iterable[str]) -> str:
    """Steps and minutes of a run's networks in words: those called as the bundle's roles are, else all that are there
    (some are trained together, or only for the sake of others)."""
    names = [role for role in roles if (run / role).is_dir()]
    if not names:
        found = sorted(run.glob("*/last.safetensors"), key=lambda path: path.stat().st_mtime)
        names = [path.parent.name for path in found]
    parts = []
    for name in names:
        raw = json.loads(next((run / name).glob("state_*.json")).read_text(encoding="utf-8"))
        parts.append(f"{name} {raw['step']} steps, {raw['seconds'] / 60:.0f} min on {raw.get('where', 'one CPU core')}")
    return "; ".join(parts)
