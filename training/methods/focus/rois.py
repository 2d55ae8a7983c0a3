"""What an SOS-Net gets in training: the region around SOL-Net's peak, and the one around a click beside the middle.

The engine pools S-Net's decoder features, its first level, the scan and the heatmap, in this order; where a person says
where the organ is, the heatmap is the Gaussian that SOL-Net should have drawn there (``systems.focus._pooled``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from TwoStageSegLib.networks.small_organs import peaks, pool_region, region_start
from TwoStageSegLib.networks.snet import SNetOutput
from TwoStageSegLib.systems.focus_scan import gaussian

from ...tasks.base import Batch
from .recipe import FocusRecipe


@dataclass(frozen=True)
class Seen:
    """What S-Net and SOL-Net said of a batch of chunks. ``heat``: (n, small organs, D, H, W), logits."""

    main: SNetOutput
    heat: Tensor


@dataclass(frozen=True)
class Regions:
    """Regions of one organ: ``inputs`` (k, channels, *roi), true ``masks`` (k, 1, *roi), first index ``start`` (k, 3)
    in the chunks ``rows`` (k,)."""

    inputs: Tensor
    masks: Tensor
    start: Tensor
    rows: Tensor


def regions(recipe: FocusRecipe, batch: Batch, seen: Seen, number: int) -> Regions | None:
    """The regions of the small organ ``number`` in the chunks that hold it whole: around the peak unless that is lost,
    and around the middle moved by ``batch["jitter"]`` (n, small, 3) mm. None if no chunk holds it."""
    rows = batch["whole"][:, number].nonzero()[:, 0]
    if not len(rows):
        return None
    spacing = torch.tensor(recipe.spacing, device=rows.device)
    middle = batch["centres"][rows, number]
    clicks = middle + batch["jitter"][rows, number] / spacing
    clicked = _pooled(recipe, batch, seen, number, rows, (clicks + 0.5).floor().long(), clicks)
    found = peaks(seen.heat[rows, number : number + 1])[:, 0]
    near = ((found - middle) * spacing).norm(dim=1) <= recipe.lost_mm
    if not bool(near.any()):
        return clicked
    located = _pooled(recipe, batch, seen, number, rows[near], found[near])
    pairs = ((getattr(located, f), getattr(clicked, f)) for f in ("inputs", "masks", "start", "rows"))
    return Regions(*(torch.cat(pair) for pair in pairs))


def located_regions(recipe: FocusRecipe, batch: Batch, seen: Seen, number: int) -> Regions:
    """One region per chunk, around SOL-Net's peak: what the engine segments."""
    rows = torch.arange(len(seen.heat), device=seen.heat.device)
    return _pooled(recipe, batch, seen, number, rows, peaks(seen.heat[:, number : number + 1])[:, 0])


def _pooled(
    recipe: FocusRecipe, batch: Batch, seen: Seen, number: int, rows: Tensor, centres: Tensor,
    clicks: Tensor | None = None,
) -> Regions:  # fmt: skip
    """``clicks``: fractional index of what a person pointed at, instead of SOL-Net's heatmap."""
    organ = recipe.organs.index(recipe.small[number])
    start = region_start(centres, tuple(batch["image"].shape[2:]), recipe.roi)
    image = pool_region(batch["image"][rows], centres, recipe.roi)
    masks = pool_region(batch["labels"][rows, organ : organ + 1], centres, recipe.roi).float()
    if not recipe.concat:
        return Regions(image, masks, start, rows)
    if clicks is None:
        heat = pool_region(seen.heat[rows, number : number + 1].float().sigmoid(), centres, recipe.roi)
    else:
        sigma = recipe.heat_sigma_mm / np.asarray(recipe.spacing)
        drawn = [gaussian(recipe.roi, c, sigma) for c in (clicks - start).double().cpu().numpy()]
        heat = torch.from_numpy(np.stack(drawn))[:, None].to(image.device)
    features, first = (pool_region(m[rows], centres, recipe.roi) for m in (seen.main.features, seen.main.first))
    return Regions(torch.cat((features.float(), first.float(), image, heat), 1), masks, start, rows)
