"""The recipes: one file per bundle, each the whole method."""

from __future__ import annotations

from pathlib import Path

from ..sources import OPENKBP, PHANTOM, Source
from . import hn_oar_ct, phantom
from .file import read_recipe
from .recipe import Recipe

RECIPES: dict[str, tuple[Recipe, Source]] = {
    hn_oar_ct.RECIPE.name: (hn_oar_ct.RECIPE, OPENKBP),
    phantom.RECIPE.name: (phantom.RECIPE, PHANTOM),
}


def recipe(name: str) -> tuple[Recipe, Source]:
    """The recipe and data source called ``name``, or those of the JSON file there; SystemExit with the known names
    otherwise."""
    if name.endswith(".json"):
        return read_recipe(Path(name))
    if name not in RECIPES:
        raise SystemExit(f"No recipe {name!r}; known: {', '.join(RECIPES)}")
    return RECIPES[name]
