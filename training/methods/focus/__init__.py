"""``focus`` (FocusNetv2; Gao, papers/004) in training: five phases, of which each uses what those before it trained.

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
    from .recipe import FocusRecipe

MAIN, HEAT, SHAPES, SMALL, TOGETHER = "main", "heat", "shapes", "small", "together"


class FocusMethod:
    """See ``base.Method``: ``main`` is S-Net, ``heat`` SOL-Net, ``shapes`` the autoencoder, ``small`` the SOS-Nets
    against the autoencoder, ``together`` all of them at a lower rate (the phases of ``training.schedules.FOCUS``)."""

    def names(self, recipe: CommonRecipe) -> tuple[str, ...]:
        return _own(recipe).phases

    def task(self, name: str, recipe: CommonRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
        from .tasks import task

        return task(name, _own(recipe), training, validation, run)

    def parts(self, recipe: CommonRecipe, run: Path) -> Parts:
        from .bundle import parts

        return parts(_own(recipe))

    def states(self, recipe: CommonRecipe, run: Path, weights: str) -> dict[str, State]:
        from .bundle import states

        return states(_own(recipe), run, weights)

    def calibrated(self, model: Model, validation: list[Case]) -> Manifest:
        from .bundle import calibrated

        return calibrated(model, validation)

    def summary(self) -> str:
        return (
            "Two stages: S-Net segments all organs in chunks of slices; SOL-Net finds the middle of the small ones in "
            "its features, and a network each segments them around that."
        )


METHOD = FocusMethod()


def _own(recipe: CommonRecipe) -> FocusRecipe:
    return cast("FocusRecipe", recipe)
