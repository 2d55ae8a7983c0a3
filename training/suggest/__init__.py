"""Look at prepared cases and propose a system, its sizes and a recipe, each with its reason."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..augment import IntensityRange, PoseRange
from ..recipes.common import Budget
from ..recipes.recipe import Recipe, Target
from ..sources import Source
from .look import DataFacts, described, look
from .sizes import Sizes, sizes
from .system import Choice, choose

MIDLINE = ("Brainstem", "SpinalCord", "Larynx", "Bone_Mandible", "OpticChiasm", "Pituitary", "Prostate", "Esophagus")
"""Unpaired organs that look alike in a mirror. The esophagus is not quite on it, but not always on one side either."""

ALIKE = 0.15  # how much the volumes of left and right may differ for one output to learn both
EXAMPLES = {
    "slice-centre": "esophagus_ct_centre.py",
    "slice-filter": "larynx_ct_filter.py",
    "multi-view": "hn_oar_ct_views.py",
    "focus": "hn_oar_ct_focus.py",
}
"""A recipe of each other system, under ``training/recipes``."""

MR_SCANNERS = IntensityRange(contrast=(0.85, 1.15), offset=60.0, noise=40.0)


@dataclass(frozen=True)
class Suggestion:
    """What was seen, what is proposed, and a recipe of ``localise-crop`` that can be trained at once."""

    facts: DataFacts
    choice: Choice
    sizes: Sizes
    recipe: Recipe
    source: Source


def suggest(folder: Path, name: str = "") -> Suggestion:
    """Proposal for the prepared cases in ``folder``; ``name`` of the bundle to be."""
    facts = look(folder)
    found = sizes(facts)
    about = described(folder)
    plain = re.sub(r"[^a-z0-9]+", "-", (name or folder.resolve().name).lower()).strip("-") or "my-organs"
    recipe = _recipe(plain, facts, found)
    steps = {"locate": 1500, "segment": 1000 * min(6, 1 + len(recipe.channels))}
    budgets = tuple(Budget(role, n, decay_steps=n // 2, every=max(100, n // 10)) for role, n in steps.items())
    return Suggestion(facts, choose(facts), found, replace(recipe, budgets=budgets), _source(facts, about))


def _recipe(name: str, facts: DataFacts, found: Sizes) -> Recipe:
    organs = tuple(o.organ for o in facts.organs)
    symmetric = all(o in MIDLINE or _partner(o) in organs for o in organs)
    low, high, mean, sd = facts.values
    window = [_outwards(low, -1), _outwards(high, 1)]
    shortest = min(n * s for n, s in zip(found.locate_shape, found.locate_spacing, strict=True))
    return Recipe(
        name=name,
        targets=tuple(_target(o, facts, found) for o in organs),
        organs=organs,
        modality=facts.modality,
        clip=(window[0], window[1]),
        centre=float(round(mean)),
        scale=float(max(1, round(sd))),
        locate_spacing=found.locate_spacing,
        locate_shape=found.locate_shape,
        locate_widths=found.locate_widths,
        locate_jitter_mm=round(min(60.0, 0.2 * shortest), 1),
        segment_spacing=found.segment_spacing,
        segment_widths=found.segment_widths,
        lr=2e-3,
        mirror=symmetric,
        average_mirror=symmetric,
        recentre_mm=round(min(8.0, min(o.narrow_mm for o in facts.organs) / 2), 1),
        poses=PoseRange(shift_mm=found.shift_mm),
        intensities=IntensityRange() if facts.modality == "CT" else MR_SCANNERS,
    )


def _target(organ: str, facts: DataFacts, found: Sizes) -> Target:
    """Left and right of a size share an output: a left organ is learnt in the mirror."""
    other = _partner(organ)
    channel = organ
    if organ.endswith("_L") and any(o.organ == other for o in facts.organs):
        a, b = facts.organ(organ).volume_ml[1], facts.organ(other).volume_ml[1]
        channel = other if abs(a - b) <= ALIKE * max(a, b) else organ
    share = round(1 / len(facts.organs), 4)
    return Target(organ, channel, found.crops[organ], share, along_z=organ in found.windows)


def _partner(organ: str) -> str:
    side = {"_L": "_R", "_R": "_L"}.get(organ[-2:])
    return organ[:-2] + side if side else ""


def _outwards(value: float, sign: int) -> float:
    """To the next 50 away from the middle."""
    return float(sign * -(-value * sign // 50) * 50)


def _source(facts: DataFacts, about: dict[str, Any]) -> Source:
    title = about.get("title") or "Own data"
    licence = about.get("licence") or "Not stated. Say under which terms the images may be used before you pass it on."
    organs = ", ".join(o.organ for o in facts.organs)
    return Source(
        title=title,
        weights_licence=f"bound by the terms of the training data: {licence.rstrip('.')}",
        data_licence=licence,
        attribution=about.get("attribution", []),
        intended_use=(
            f"Research. Proposes contours of {organs} on {facts.modality} like the training data's, for review and "
            "correction by a qualified person."
        ),
        not_for=["diagnosis", "treatment planning without review of every contour", "images unlike the training data"],
        references=[
            *dict.fromkeys(about.get("references", [])),
            "arXiv:2304.04606 (Smith et al., Localise to segment)",
        ],
    )


def as_json(found: Suggestion) -> str:
    """Everything as JSON: ``seen``, ``system``, ``sizes``, ``recipe``."""
    text = {
        "seen": asdict(found.facts),
        "system": asdict(found.choice),
        "sizes": asdict(found.sizes),
        "recipe": asdict(found.recipe),
    }
    return json.dumps(text, indent=1, ensure_ascii=False) + "\n"


def as_text(found: Suggestion, folder: Path, recipe_file: Path | None) -> str:
    """What a person reads: a table of the organs, the proposal with its reasons, what to run next."""
    f, s = found.facts, found.sizes
    wide = max(5, *(len(o.organ) for o in f.organs))
    lines = [
        f"{f.training} training and {f.validation} validation cases, {f.modality}, spacing {_mm(f.spacing_mm)} mm, "
        f"images up to {_mm(f.image_mm)} mm (z × y × x).",
        "",
        f"{'organ':{wide}}  cases      ml  % of image  up to mm (z × y × x)  slices  finding it first",
    ]
    for o in f.organs:
        lines.append(
            f"{o.organ:{wide}}  {o.cases:5d}  {o.volume_ml[1]:6.1f}  {o.percent:10.3g}  {_mm(o.extent_mm):>20s}  "
            f"{o.slices:6d}  {found.choice.pays[o.organ]}"
        )
    lines += ["", f"System: {found.choice.system}"]
    lines += [f"- {reason}" for reason in (*found.choice.reasons, *s.reasons)]
    if f.validation < 3:
        lines.append(f"- Only {f.validation} validation cases: margins and thresholds measured on them will be rough.")
    if found.choice.system != "localise-crop":
        lines.append(
            "- The recipe trains localise-crop, the system for any organs: what the proposed one must beat. "
            f"For {found.choice.system} start from training/recipes/{EXAMPLES[found.choice.system]}."
        )
    for target in found.recipe.targets:
        lines.append(f"  {target.organ}: crop {' × '.join(map(str, target.shape))} voxels")
    recipe = recipe_file or Path("recipe.json")
    if recipe_file is None:
        lines += ["", f"Add --to {recipe} to write the recipe."]
    lines += ["", "Next:", *_next(found, folder, recipe)]
    return "\n".join(lines) + "\n"


def _next(found: Suggestion, folder: Path, recipe: Path) -> list[str]:
    name, call = found.recipe.name, "  python -m training"
    return [
        f"{call} train --recipe {recipe} --data {folder} --run runs/{name} --to bundles/{name}",
        f"{call} evaluate bundles/{name} --data {folder} --run runs/{name} --to results/{name} --write",
    ]


def _mm(values: tuple[float, ...]) -> str:
    return " × ".join(f"{v:.3g}" for v in values)
