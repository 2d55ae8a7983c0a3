"""What ``python -m training`` asks of ``slice-centre``: networks in order, their tasks, the bundle they become."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.manifest import Manifest
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.slice_requirements import CHUNK

from ...data.prepared import Case
from ...recipes.common import CommonRecipe
from ..weights import checkpoint
from .parts import COARSE, FITS, SEGMENT, network_spec, organ_of, parameters_of, role_of
from .recipe import SliceCentreRecipe

if TYPE_CHECKING:  # a recipe file leads here before the rest of the package is there
    from ...tasks.base import Task
    from ..base import Parts, State


class SliceCentreMethod:
    """See ``base.Method``. Any of the four networks can be fitted, whatever draws the recipe's bundle."""

    def names(self, recipe: CommonRecipe) -> tuple[str, ...]:
        return FITS[_own(recipe).drawer]

    def task(self, name: str, recipe: CommonRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
        from .centres import coarse_errors, fine_errors
        from .chunk_task import ChunkTask
        from .flat_task import FlatTask
        from .heat_task import HeatTask

        own = _own(recipe)
        if name == LOCATE:
            return HeatTask(own, training, validation)
        if name == CHUNK:
            return ChunkTask(name, own, training, validation, coarse_errors(own, run, validation))
        if name not in (SEGMENT, COARSE):
            known = ", ".join((LOCATE, CHUNK, SEGMENT, COARSE))
            raise UsageError("E_RECIPE", f"The recipe {recipe.name} has no network {name!r}; it has: {known}.")
        errors = fine_errors if name == SEGMENT else coarse_errors
        return FlatTask(name, own, training, validation, errors(own, run, validation))

    def parts(self, recipe: CommonRecipe, run: Path) -> Parts:
        from ..base import Parts

        own = _own(recipe)
        roles = [role_of(name) for name in self.names(recipe)]
        return Parts({role: network_spec(own, role) for role in roles}, [organ_of(own)], parameters_of(own))

    def states(self, recipe: CommonRecipe, run: Path, weights: str) -> dict[str, State]:
        return {role_of(name): checkpoint(run, name, weights) for name in self.names(recipe)}

    def calibrated(self, model: Model, validation: list[Case]) -> Manifest:
        from .calibrate import calibrated

        return calibrated(model, validation)

    def summary(self) -> str:
        return (
            "Two stages: a CenterNet finds the organ's centre in every slice; a U-Net draws each slice, or a chunk of "
            "slices, in a crop around the centres."
        )


def _own(recipe: CommonRecipe) -> SliceCentreRecipe:
    return cast(SliceCentreRecipe, recipe)
