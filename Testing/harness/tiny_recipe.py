"""A recipe of the smallest networks, and a finished run of it: two steps each, good for nothing but being there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.augment import PoseRange
from training.data.prepared import load_cases
from training.fit import FitOptions, fit
from training.recipes.hn_oar_ct import RECIPE
from training.recipes.recipe import Recipe, Target
from training.tasks import task

TINY: Recipe = replace(
    RECIPE,
    name="tiny",
    segment_widths=(8, 16),
    locate_widths=(8, 16),
    segment_spacing=(2.5, 4.0, 4.0),
    locate_shape=(16, 16, 16),
    locate_batch=2,
    segment_batch=2,
    poses=PoseRange(rotation_deg=0.0, scale=(1.0, 1.0), stretch=0.0, shift_mm=0.0),
    targets=(
        Target("Brainstem", "Brainstem", (16, 16, 16), 0.5),
        Target("Parotid_R", "Parotid_R", (16, 16, 16), 0.25),
        Target("Parotid_L", "Parotid_R", (16, 16, 16), 0.25),
    ),
)


def write_run(prepared: Path, folder: Path, locates: bool = True) -> Path:
    """Fit both networks for two steps. ``locates``: raise the locator's bias until every organ is found everywhere."""
    cases = [load_cases(prepared, split) for split in ("train", "validation")]
    for role in ("locate", "segment"):
        torch.manual_seed(0)
        options = FitOptions(steps=2, decay_steps=1, warmup=1, every=2, half=False)
        fit(task(role, TINY, *cases), folder / role, options, quiet=True)
    best = folder / "locate" / "best.safetensors"
    weights = load_file(best)
    weights["head.bias"] += 12.0 if locates else -12.0
    save_file(weights, best)
    return folder
