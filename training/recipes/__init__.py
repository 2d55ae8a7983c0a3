"""The recipes: one file per bundle, each the whole method."""

from __future__ import annotations

from pathlib import Path

from ..sources import OPENKBP, PHANTOM, STS, Source
from . import (
    esophagus_ct_centre,
    gtv_ct_filter,
    hn_oar_ct,
    hn_oar_ct_focus,
    hn_oar_ct_views,
    hn_small,
    larynx_ct_filter,
    phantom,
)
from .common import CommonRecipe
from .file import read_recipe
from .recipe import as_published

RECIPES: dict[str, tuple[CommonRecipe, Source]] = {
    hn_oar_ct.RECIPE.name: (hn_oar_ct.RECIPE, OPENKBP),
    hn_small.RECIPE.name: (hn_small.RECIPE, OPENKBP),
    as_published(hn_small.RECIPE).name: (as_published(hn_small.RECIPE), OPENKBP),
    phantom.RECIPE.name: (phantom.RECIPE, PHANTOM),
    hn_oar_ct_views.RECIPE.name: (hn_oar_ct_views.RECIPE, hn_oar_ct_views.SOURCE),
    gtv_ct_filter.RECIPE.name: (gtv_ct_filter.RECIPE, STS),
    gtv_ct_filter.ALONE.name: (gtv_ct_filter.ALONE, STS),
    larynx_ct_filter.RECIPE.name: (larynx_ct_filter.RECIPE, larynx_ct_filter.SOURCE),
    larynx_ct_filter.ALONE.name: (larynx_ct_filter.ALONE, larynx_ct_filter.SOURCE),
    **{
        one.name: (one, hn_oar_ct_focus.SOURCE)
        for one in (hn_oar_ct_focus.RECIPE, hn_oar_ct_focus.ALONE, hn_oar_ct_focus.PLAIN, hn_oar_ct_focus.RAW)
    },
    **{
        one.name: (one, esophagus_ct_centre.SOURCE)
        for one in (esophagus_ct_centre.RECIPE, esophagus_ct_centre.COARSE, esophagus_ct_centre.CHUNK)
    },
}


def recipe(name: str) -> tuple[CommonRecipe, Source]:
    """The recipe and data source called ``name``, or those of the JSON file there; SystemExit with the known names
    otherwise."""
    if name.endswith(".json"):
        return read_recipe(Path(name))
    if name not in RECIPES:
        raise SystemExit(f"No recipe {name!r}; known: {', '.join(RECIPES)}")
    return RECIPES[name]
