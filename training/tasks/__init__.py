"""The networks that a recipe trains, one file each."""

from __future__ import annotations

from collections.abc import Callable

from ..data.prepared import Case
from ..recipes.recipe import Recipe
from .base import Task


def task(name: str, recipe: Recipe, training: list[Case], validation: list[Case]) -> Task:
    """``locate``, ``baseline`` or one of the segmenters (``segment``, ``segment-...``) of a recipe."""
    from .baseline import BaselineTask
    from .locate import LocateTask
    from .segment import SegmentTask

    if name in recipe.segmenters:
        return SegmentTask(recipe.only(name), training, validation)
    kinds: dict[str, Callable[[Recipe, list[Case], list[Case]], Task]] = {
        "locate": LocateTask,
        "baseline": BaselineTask,
    }
    if name not in kinds:
        known = ", ".join((*kinds, *recipe.segmenters))
        raise SystemExit(f"The recipe {recipe.name} has no network {name!r}; it has: {known}")
    return kinds[name](recipe, training, validation)
