"""The phases of a recipe as tasks, by name."""

from __future__ import annotations

from pathlib import Path

from TwoStageSegLib.errors import UsageError

from ...data.prepared import Case
from ...tasks.base import Task
from . import HEAT, MAIN, SHAPES, SMALL
from .heat import HeatTask
from .main import MainTask
from .recipe import FocusRecipe
from .shapes import ShapesTask
from .small import SmallTask
from .together import TogetherTask


def task(name: str, recipe: FocusRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
    """The phase ``name``; those that use what was trained before look for it in ``run``."""
    if name not in recipe.phases:
        known = ", ".join(recipe.phases)
        raise UsageError("E_RECIPE", f"The recipe {recipe.name} has no network {name!r}; it has: {known}.")
    if name == MAIN:
        return MainTask(recipe, training, validation)
    if name == SHAPES:
        return ShapesTask(recipe, training, validation)
    if name == HEAT:
        return HeatTask(recipe, training, validation, run)
    kind = SmallTask if name == SMALL else TogetherTask
    return kind(recipe, training, validation, run)
