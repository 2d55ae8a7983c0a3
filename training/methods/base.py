"""What training needs to know of a system: which networks, how each learns, and how they become a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from TwoStageSegLib.manifest import Manifest, NetworkSpec, OrganSpec
from TwoStageSegLib.model import Model

if TYPE_CHECKING:  # the recipes import the methods' packages, so importing a recipe here would be a circle
    from ..data.prepared import Case
    from ..recipes.common import CommonRecipe
    from ..tasks.base import Task

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Parts:
    """The part of a manifest that follows from the recipe alone. Thresholds, margins and scores of ``organs`` and
    whatever else is measured begin with values that find everything; ``Method.calibrated`` replaces them."""

    networks: dict[str, NetworkSpec]
    organs: list[OrganSpec]
    parameters: dict[str, Any] = field(default_factory=dict)


class Method(Protocol):
    """One system's training. ``names`` are what ``fit`` trains, in order; a bundle's roles may be others (two networks
    that were trained together make one name)."""

    def names(self, recipe: CommonRecipe) -> tuple[str, ...]: ...

    def task(self, name: str, recipe: CommonRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
        """The network called ``name`` as a task. ``run`` holds those that were trained before (``run/NAME``)."""

    def parts(self, recipe: CommonRecipe, run: Path) -> Parts:
        """Networks, organs and parameters of the bundle; ``run`` for what training learned beside weights."""

    def states(self, recipe: CommonRecipe, run: Path, weights: str) -> dict[str, State]:
        """The weights of every role of the bundle. ``weights``: the checkpoints that ``export --weights`` names."""

    def calibrated(self, model: Model, validation: list[Case]) -> Manifest:
        """The manifest with margins, thresholds and scores measured on validation cases."""

    def summary(self) -> str:
        """The two stages in one sentence, for the model card."""
