"""How far the centres are off that the segmenters will meet: measured on validation cases, drawn in training.

The paper trains the segmenters on predicted centres. A locator knows the cases it learned from by heart; training it
again without each of them costs too much. So the centres are the contour's, moved by errors that the trained locator
makes on validation cases (of the 2D network behind the 3D one: those of the 3D mask's centroids).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from TwoStageSegLib.systems.placing import largest
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.runner import build
from TwoStageSegLib.systems.slice_draw import draw_chunks
from TwoStageSegLib.systems.slice_requirements import CHUNK
from TwoStageSegLib.systems.slice_track import Track, refined_track

from ...data.prepared import Case
from ...reference import volume_of
from ..inputs import preprocess_of
from .heat_task import HeatTask
from .live import LiveRunner
from .parts import network_spec, organ_of
from .presence import Seen, best_presence
from .recipe import SliceCentreRecipe

GROSS = 0.25
"""Of the crop: a centre further off has found something else, which no segmenter mends; it is left out here."""
FALLBACK = 1000
Errors = NDArray[np.float64]
"""``(n, 2)`` mm (y, x), slice after slice, case after case: neighbours belong together."""


def coarse_errors(recipe: SliceCentreRecipe, run: Path, validation: list[Case]) -> Errors:
    """Errors of the locator's centres; without a trained locator: normal, of the recipe's ``error_mm``."""
    return _kept(run / LOCATE, (), recipe, lambda: _of_locator(recipe, run, validation))


def fine_errors(recipe: SliceCentreRecipe, run: Path, validation: list[Case]) -> Errors:
    """Errors of the centres refined by the 3D mask; without a trained 3D network those of the locator."""
    if not (run / CHUNK / "best.safetensors").is_file() or not (run / LOCATE / "best.safetensors").is_file():
        return coarse_errors(recipe, run, validation)
    return _kept(run / CHUNK, (run / LOCATE,), recipe, lambda: _of_chunks(recipe, run, validation))


def drawn_errors(errors: Errors, count: int, rng: np.random.Generator) -> Errors:
    """Errors of ``count`` neighbouring slices, ``(count, 2)`` mm, turned left and right at random."""
    start = rng.integers(len(errors))
    return errors[(start + np.arange(count)) % len(errors)] * [1.0, rng.choice([-1.0, 1.0])]


def steady(case: Case) -> np.random.Generator:
    """A generator that is the same for a case at every validation."""
    return np.random.default_rng(zlib.crc32(case.name.encode()))


def _kept(folder: Path, others: tuple[Path, ...], recipe: SliceCentreRecipe, measure: Callable[[], Errors]) -> Errors:
    """``folder/errors.npy``, measured anew when the weights are newer."""
    kept, weights = folder / "errors.npy", [f / "best.safetensors" for f in (folder, *others)]
    if not weights[0].is_file():
        return np.random.default_rng(0).normal(0, recipe.error_mm, (FALLBACK, 2))
    if not kept.is_file() or kept.stat().st_mtime < max(w.stat().st_mtime for w in weights):
        errors = measure()
        errors = errors[np.abs(errors).max(1, initial=0) <= GROSS * recipe.crop_mm]
        if not errors.size:
            return np.random.default_rng(0).normal(0, recipe.error_mm, (FALLBACK, 2))
        temporary = folder / "errors.tmp.npy"
        np.save(temporary, errors)
        os.replace(temporary, kept)
    return np.load(kept)


def _of_locator(recipe: SliceCentreRecipe, run: Path, validation: list[Case]) -> Errors:
    found = _tracks(recipe, run, validation)
    return np.concatenate([seen.errors_mm(track) for _, seen, track in found] or [np.zeros((0, 2))])


def _of_chunks(recipe: SliceCentreRecipe, run: Path, validation: list[Case]) -> Errors:
    """As ``SliceCentre.segment`` refines a track, with half as the threshold."""
    runner, organ, errors = _live(recipe, run, CHUNK), organ_of(recipe, CHUNK), [np.zeros((0, 2))]
    for case, seen, track in _tracks(recipe, run, validation):
        drawing = draw_chunks(volume_of(case), track, organ, runner, preprocess_of(recipe), recipe.chunk_slices)
        inside = largest(drawing.filled > organ.threshold, int(recipe.gap_mm / case.spacing_zyx_mm[0]))
        errors.append(seen.errors_mm(refined_track(track, drawing.start, inside)))
    return np.concatenate(errors)


def _tracks(recipe: SliceCentreRecipe, run: Path, validation: list[Case]) -> list[tuple[Case, Seen, Track]]:
    """The locator's track of each validation case in which it finds one, at its best threshold."""
    task = HeatTask(recipe, [], validation)
    seen = task.seen(_live(recipe, run, LOCATE))
    _, present, gap = best_presence(seen, recipe.organ)
    tracks = [one.track(recipe.organ, present, gap) for one in seen]
    cases = [case for case, _ in task.validation]
    return [(c, s, t) for c, s, t in zip(cases, seen, tracks, strict=True) if t is not None]


def _live(recipe: SliceCentreRecipe, run: Path, role: str) -> LiveRunner:
    spec = network_spec(recipe, role)
    network = build(spec)
    network.load_state_dict(load_file(run / role / "best.safetensors"))
    return LiveRunner(spec, network.eval(), torch.device("cpu"))
