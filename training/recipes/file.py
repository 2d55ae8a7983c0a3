"""A recipe as a small JSON file: what ``suggest`` writes, what ``fit --recipe FILE`` and ``export`` read.

``{"system": "...", "recipe": {...}, "source": {...}}`` with the fields of that system's recipe and of ``Source``; what
is left out has the default that stands there, the system ``localise-crop``. Unknown fields and wrong types are refused
with their place.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.manifest import BUNDLE_NAME
from TwoStageSegLib.outputs.atomic import atomic_file
from TwoStageSegLib.strict_json import StrictError, build, loads

from ..sources import Source
from .common import CommonRecipe
from .recipe import Recipe


@dataclass(frozen=True)
class RecipeFile:
    """The halves of the file: the method, for a system, and what may be said and done with the weights."""

    recipe: dict[str, Any]
    source: Source
    system: str = Recipe.system


def read_recipe(path: Path) -> tuple[CommonRecipe, Source]:
    """Read and check a recipe file.

    Raises
    ------
    UsageError : E_RECIPE with the place and the reason.
    """
    try:
        found = build(RecipeFile, loads(path.read_bytes()), path.name)
        kinds = _kinds()
        if found.system not in kinds:
            raise StrictError(f"{path.name}.system must be one of {', '.join(kinds)}")
        recipe = build(kinds[found.system], found.recipe, f"{path.name}.recipe")
    except OSError:
        raise UsageError("E_RECIPE", f"There is no recipe file {path.name!r} there. Check --recipe.") from None
    except StrictError as error:
        raise UsageError("E_RECIPE", f"{error}.") from None
    if wrong := _wrong_anywhere(recipe) or (_wrong(recipe) if isinstance(recipe, Recipe) else ""):
        raise UsageError("E_RECIPE", f"{path.name}: {wrong}.")
    return recipe, found.source


def write_recipe(path: Path, recipe: CommonRecipe, source: Source) -> None:
    """Write a recipe file; fields that have their default are left out."""
    text = {"system": recipe.system, "recipe": _plain(recipe), "source": asdict(source)}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


def _kinds() -> dict[str, type[CommonRecipe]]:
    """The recipe class of every system, from the committed recipes."""
    from . import RECIPES

    return {recipe.system: type(recipe) for recipe, _ in RECIPES.values()}


def _plain(recipe: CommonRecipe) -> dict[str, Any]:
    """The recipe's own values; its targets likewise."""
    out = {f.name: getattr(recipe, f.name) for f in fields(recipe) if getattr(recipe, f.name) != _default(f)}
    for name in ("targets", "budgets"):
        if name in out:
            out[name] = [
                {f.name: getattr(t, f.name) for f in fields(t) if getattr(t, f.name) != _default(f)} for t in out[name]
            ]
    for name in ("poses", "intensities"):
        if name in out:
            out[name] = asdict(out[name])
    return out


def _default(field: Field) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _wrong_anywhere(r: CommonRecipe) -> str:
    """What no recipe may have, in words; "" if it is fine."""
    checks = [
        (BUNDLE_NAME.fullmatch(r.name) is not None, "recipe.name must be lower-case letters, digits and hyphens"),
        (len(set(r.organs)) == len(r.organs), "recipe.organs lists an organ twice"),
        (all(b.steps > 0 and b.every > 0 for b in r.budgets), "the budgets' steps and every must be above 0"),
        (r.clip[0] < r.clip[1] and r.scale > 0, "recipe.clip must rise and recipe.scale be above 0"),
    ]
    return next((text for fine, text in checks if not fine), "")


def _wrong(r: Recipe) -> str:
    """What would break in the middle of training of ``localise-crop``, in words; "" if nothing does."""
    organs = {t.organ for t in r.targets}
    checks = [
        (bool(r.targets), "recipe.targets lists no organ"),
        (len(organs) == len(r.targets), "recipe.targets lists an organ twice"),
        (organs <= set(r.organs), "recipe.targets has an organ that recipe.organs lacks"),
        (all(t.channel in organs for t in r.targets), "a target's channel must be the name of a target"),
        (sum(t.share for t in r.targets) > 0, "the targets' shares must not all be 0"),
        ({b.network for b in r.budgets} <= {"locate", "baseline", *r.segmenters}, "a budget is for no network of it"),
        (all(s > 0 for s in (*r.locate_spacing, *r.segment_spacing)), "spacings must be above 0 mm"),
        (all(w > 0 and w % 8 == 0 for w in (*r.locate_widths, *r.segment_widths)), "widths must be multiples of 8"),
        (r.locate_patch > 0, "recipe.locate_patch must be above 0"),
        (
            _divides(r.locate_shape, r.locate_widths, r.locate_patch),
            "recipe.locate_shape does not fit the locator's poolings",
        ),
        (_divides(r.baseline_shape, r.segment_widths), "recipe.baseline_shape does not fit the network's poolings"),
        *(
            (_divides(t.shape, r.segment_widths), f"the shape of {t.organ} does not fit the network's poolings")
            for t in r.targets
        ),
    ]
    return next((text for fine, text in checks if not fine), "")


def _divides(shape: tuple[int, ...], widths: tuple[int, ...], patch: int = 1) -> bool:
    """True if every side can be cut into patches and halved once per pooling."""
    return all(n > 0 and n % (max(1, patch) * 2 ** (len(widths) - 1)) == 0 for n in shape)
