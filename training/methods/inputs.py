"""What a recipe's networks see of an image: the same in training as in the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from TwoStageSegLib.manifest import InputSpec
from TwoStageSegLib.systems.preprocess import PERCENTILES, Preprocess

from ..data.prepared import air_of

if TYPE_CHECKING:  # recipes import their methods' packages
    from ..recipes.common import CommonRecipe


def input_spec(recipe: CommonRecipe) -> InputSpec:
    """Preprocessing as the prepared cases are trained on; what is no CT is told in its own range."""
    own_range = None if recipe.modality == "CT" else list(PERCENTILES)
    return InputSpec(
        recipe.modality, list(recipe.clip), recipe.centre, recipe.scale, air_of(recipe.modality), own_range
    )


def preprocess_of(recipe: CommonRecipe) -> Preprocess:
    """The running system's preprocessing, before there is a bundle."""
    return Preprocess(input_spec(recipe))
