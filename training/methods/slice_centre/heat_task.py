"""The locator of ``slice-centre``: CenterNet's heatmap of single slices, with the organ and without (papers/000)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from TwoStageSegLib.networks.centernet import CenterNet
from TwoStageSegLib.systems.crops import multiples_of
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.runner import build
from TwoStageSegLib.systems.slice_field import Place
from TwoStageSegLib.systems.slice_heat import slice_heat

from ...data.prepared import Case
from ...heatmaps import gaussian_cells, overlap_radius
from ...losses.slice_centre import centre_focal
from ...reference import volume_of
from ...sampling import draw
from ...tasks.base import Batch, stack
from ..inputs import preprocess_of
from .finish_slice import finish_slice
from .live import LiveRunner
from .parts import network_spec
from .poses import plain_pose, random_flat_pose
from .presence import Seen, best_presence
from .recipe import SliceCentreRecipe
from .slices import OrganSlices, organ_slices, seen_of

QUICK = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


class HeatTask:
    """Trains on fields around the body's middle, as the running system sees them, a little beside it."""

    name = LOCATE

    def __init__(self, recipe: SliceCentreRecipe, training: list[Case], validation: list[Case]):
        self.recipe, self.preprocess = recipe, preprocess_of(recipe)
        self.spec = network_spec(recipe, LOCATE)
        shown: list[tuple[Case, NDArray, Place]] = []
        empty: list[tuple[Case, NDArray, Place]] = []
        for case in training:
            slices = organ_slices(case, recipe.organ)
            if slices.shows.size or slices.empty.size:
                body, middle = seen_of(case, self.preprocess)
                for kind, which in ((shown, slices.shows), (empty, slices.empty)):
                    inside = which[(which >= body.start) & (which < body.stop)]
                    if inside.size:
                        kind.append((case, inside, middle))
        self.shown, self.empty = shown, empty
        self.validation: list[tuple[Case, OrganSlices]] = [
            (case, organ_slices(case, recipe.organ)) for case in validation if case.whole(recipe.organ)
        ]
        multiple = CenterNet(widths=(4,) * 4, up=(4, 4, 4)).multiple
        self.pixels = int(multiples_of(np.array([recipe.field_mm / recipe.locate_spacing_mm]), multiple)[0])

    def network(self) -> nn.Module:
        return build(self.spec)

    def batch(self, rng: np.random.Generator) -> Batch:
        count = self.recipe.locate_batch
        positive = round(count * self.recipe.locate_positive) if self.empty else count
        kinds = [self.shown] * positive + [self.empty] * (count - positive)
        samples = []
        for kind in kinds:
            case, slices, middle = kind[rng.integers(len(kind))]
            samples.append(self._sample(case, int(slices[rng.integers(len(slices))]), middle, rng))
        return stack(samples)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        return centre_focal(network(batch["image"]), batch["heat"])

    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """``score``: the best F1 of slices whose centre is found within 12 mm; mean centre error in mm."""
        seen = self.seen(LiveRunner(self.spec, network, device))
        f1, present, gap = best_presence(seen, self.recipe.organ, QUICK, (self.recipe.gap_mm,))
        tracks = [(case, case.track(self.recipe.organ, present, gap)) for case in seen]
        errors = [np.linalg.norm(case.errors_mm(track), axis=1) for case, track in tracks if track is not None]
        joined = np.concatenate(errors) if errors else np.zeros(0)
        error = float(np.median(joined)) if joined.size else float("nan")
        return {"score": f1, "present": present, "centre_error_mm": error}

    def seen(self, runner: LiveRunner) -> list[Seen]:
        """The validation cases as the running system sees them."""
        field = self.recipe.field_mm
        return [
            Seen(slice_heat(volume_of(case), runner, self.preprocess, field), truth, case.spacing_zyx_mm)
            for case, truth in self.validation
        ]

    def _sample(self, case: Case, z: int, middle: Place, rng: np.random.Generator) -> Batch:
        recipe = self.recipe
        centre = np.asarray(middle) + rng.normal(0, recipe.locate_jitter_mm, 2) / np.asarray(case.spacing_zyx_mm)[1:]
        plain = plain_pose(case, z, 1, centre, self.pixels, recipe.locate_spacing_mm)
        pose = random_flat_pose(plain, recipe, rng)
        crop = draw(case, pose, recipe.organs)
        heat = heat_target(crop.labels[0, 0].numpy(), recipe)
        return {"image": finish_slice(crop, case, pose, recipe, rng), "heat": torch.from_numpy(heat)[None]}


def heat_target(plane: NDArray[np.float32], recipe: SliceCentreRecipe) -> NDArray[np.float32]:
    """The heatmap of a slice's label (0..1): a Gaussian at its centroid's cell; cell c's middle is pixel 4 c + 1.5.

    Shapes: ``(H, W)`` -> ``(H/4, W/4)``. A slice in whose field less than half a pixel of the organ lies has none.
    """
    stride = CenterNet.stride
    cells = (plane.shape[0] // stride, plane.shape[1] // stride)
    total = float(plane.sum())
    if total < 0.5 or not (plane > 0.5).any():
        return np.zeros(cells, np.float32)
    rows, columns = plane.sum(1), plane.sum(0)
    pixel = [float((line * np.arange(line.size)).sum() / total) for line in (rows, columns)]
    sides = [float((plane > 0.5).any(axis).sum()) / stride for axis in (1, 0)]
    radius = max(float(recipe.least_radius), overlap_radius(sides[0], sides[1], recipe.overlap))
    y, x = ((p - (stride - 1) / 2) / stride for p in pixel)
    return gaussian_cells(cells, [(y, x)], [radius])
