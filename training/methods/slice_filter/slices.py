"""The slices of prepared cases as the running system takes them: those that hold the body, around the body's middle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.grid import sample
from TwoStageSegLib.systems.preprocess import Preprocess
from TwoStageSegLib.systems.slice_field import Field, Place, body_slices
from TwoStageSegLib.volume import Volume

from ...balance import balanced_epoch
from ...data.prepared import Case
from ...reference import volume_of
from ...tasks.locate import smoothed
from .. import inputs
from .recipe import SliceFilterRecipe


@dataclass(frozen=True, eq=False)
class Sliced:
    """A case in which it is known where the organ is, or that it is not there.

    Parameters
    ----------
    ct : the case's HU, low-passed where a pixel is larger than its voxels, as the engine's filter does.
    slices : of the case that hold the body. middle : of the body (y, x), fractional voxel index.
    shows : (len(slices),), which of them show the organ.
    """

    case: Case
    organ: str
    volume: Volume
    ct: NDArray[np.int16]
    slices: range
    middle: Place
    shows: NDArray[np.bool_]

    @cached_property
    def back(self) -> float:
        """Voxel row (y) of the patient's back."""
        return float(np.flatnonzero((self.case.outside == 0).any((0, 2)))[-1])

    @cached_property
    def box(self) -> NDArray[np.float64] | None:
        """Outer faces of the organ's box in plane, voxel index ((first, last), (y, x)); None where it is not there."""
        if self.organ not in self.case.known:
            return None
        return np.asarray(self.case.known[self.organ].box, float)[1:].T - 0.5

    def mask(self, z: int) -> NDArray[np.bool_]:
        """The organ in one slice of the case."""
        plane = self.case.labels[z]
        return plane == self.case.value(self.organ) if self.organ in self.case.known else np.zeros(plane.shape, bool)

    def field(self, field_mm: float, pixel_mm: float, multiple: int) -> Field:
        """What a network of these pixels sees."""
        return Field.of(self.middle, field_mm, (pixel_mm, pixel_mm), multiple, self.volume.standard.geometry)

    def images(self, field: Field, preprocess: Preprocess) -> NDArray[np.float32]:
        """What the running system feeds a network: ``(len(slices), 1, H, W)``."""
        return preprocess.image(self.volume, field.grid(self.slices))[:, None]

    def masks(self, field: Field) -> NDArray[np.bool_]:
        """The organ in the same pixels: ``(len(slices), H, W)``."""
        full = np.stack([self.mask(z) for z in range(len(self.case.ct))]).astype(np.float32)
        return sample(full, field.grid(self.slices), 0.0) > 0.5


def preprocess_of(recipe: SliceFilterRecipe) -> Preprocess:
    """The bundle's preprocessing."""
    if recipe.modality != "CT":
        raise NotImplementedError("slice-filter is trained on CT: its body search needs Hounsfield units")
    return inputs.preprocess_of(recipe)


def sliced(cases: Iterable[Case], recipe: SliceFilterRecipe, pixel_mm: float) -> list[Sliced]:
    """The cases that say something about the organ, for a network with pixels of ``pixel_mm``; where the organ is not
    contoured, no slice is an example of anything."""
    preprocess, found = preprocess_of(recipe), []
    for case in cases:
        if recipe.organ not in case.known and recipe.organ not in case.absent:
            continue
        volume = volume_of(case)
        body = body_slices(volume, preprocess)
        if body is None:
            continue
        slices, middle = body
        shows = np.zeros(len(slices), bool)
        if recipe.organ in case.known:
            shows = (case.labels == case.value(recipe.organ)).any((1, 2))[slices.start : slices.stop]
        found.append(Sliced(case, recipe.organ, volume, _filtered(case, pixel_mm), slices, middle, shows))
    return found


def _filtered(case: Case, pixel_mm: float) -> NDArray[np.int16]:
    z, y, x = case.spacing_zyx_mm
    return case.ct if pixel_mm <= min(y, x) + 1e-6 else smoothed(case, (z, max(y, pixel_mm), max(x, pixel_mm)))


def balanced(shows: Sequence[bool], theta: float | None, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``count`` indices: the beginning of an epoch of balance sampling.

    Every batch begins an epoch of its own, so that negatives are redrawn all the time (the paper redraws once per
    epoch), and a run that was interrupted and resumed sees the same batches.
    """
    drawn = balanced_epoch(shows, theta, rng)
    if drawn.size == 0:
        raise ValueError("no slice to draw from")
    while drawn.size < count:
        drawn = np.concatenate((drawn, balanced_epoch(shows, theta, rng)))
    return drawn[:count]
