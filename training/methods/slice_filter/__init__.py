"""``slice-filter`` (Shi, papers/001) in training: a slice classifier and SANet, two networks that share no weights.

Everything is imported when it is used: the recipes know this package, and what it needs knows the recipes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from TwoStageSegLib.manifest import Manifest
    from TwoStageSegLib.model import Model

    from ...data.prepared import Case
    from ...recipes.common import CommonRecipe
    from ...tasks.base import Task
    from ..base import Parts, State
    from .recipe import SliceFilterRecipe

NAMES = ("locate", "segment")


class SliceFilterMethod:
    """See ``base.Method``."""

    def names(self, recipe: CommonRecipe) -> tuple[str, ...]:
        return NAMES

    def task(self, name: str, recipe: CommonRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
        from TwoStageSegLib.errors import UsageError

        from .classify import ClassifyTask
        from .draw import DrawTask

        if name not in NAMES:
            raise UsageError("E_RECIPE", f"The recipe {recipe.name} has no network {name!r}; it has: locate, segment.")
        kind = ClassifyTask if name == "locate" else DrawTask
        return kind(_own(recipe), training, validation)

    def parts(self, recipe: CommonRecipe, run: Path) -> Parts:
        from .bundle import parts

        return parts(_own(recipe))

    def states(self, recipe: CommonRecipe, run: Path, weights: str) -> dict[str, State]:
        from ..weights import checkpoint

        return {name: checkpoint(run, name, weights) for name in NAMES}

    def calibrated(self, model: Model, validation: list[Case]) -> Manifest:
        from .calibrate import calibrated

        return calibrated(model, validation)

    def summary(self) -> str:
        return (
            "Two stages: a ResNet18 says of every slice whether it shows the target; "
            "SANet, a 2D network, draws the target in those slices only."
        )


METHOD = SliceFilterMethod()


def _own(recipe: CommonRecipe) -> SliceFilterRecipe:
    return cast("SliceFilterRecipe", recipe)
