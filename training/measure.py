"""One row of figures: how well a region and a mask fit the reference of one organ in one case."""

from __future__ import annotations

from typing import Any

import numpy as np

from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import SliceAgreement, compare
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems.crops import crop_around

from .data.prepared import Case
from .reference import held, true_box

Row = dict[str, Any]

SLICES = "slices"
"""Key of a row's slice agreements (a tuple): they go into a file of their own."""

SLICE_FIELDS = ("case", "organ", "way", "slice", "kind", "dice", "mask_voxels", "reference_voxels", "shared_voxels")


def measure_mask(
    case: Case,
    organ: str,
    way: str,
    truth: Mask,
    region: Region,
    mask: Mask | None,
    spec: OrganSpec | None = None,
) -> Row:
    """One row of figures: how well ``region`` and ``mask`` (None: not found) fit the reference ``truth``."""
    box = true_box(truth)
    row: Row = {
        "case": case.name,
        "grade": case.grade,
        "organ": organ,
        "way": way,
        "status": region.status.value,
        "score": round(region.score, 4),
        "held": round(held(truth, region), 4) if region.usable and region.size_mm else 0.0,
        "centre_error_mm": float("nan"),
        "true_ml": round(truth.volume_ml, 3),
        "ml": round(mask.volume_ml, 3) if mask else 0.0,
    }
    if region.centre_lps is not None:
        error = np.linalg.norm(np.asarray(_centre(region, spec, truth)) - np.asarray(box.centre_lps, float))
        row["centre_error_mm"] = round(float(error), 3)
    return row | agreement(mask, truth)


def agreement(mask: Mask | None, truth: Mask) -> Row:
    """Every figure of ``metrics.compare``, rounded; distances and lengths in mm, counts in slices.

    An organ that was missed (``outcome``) has Dice 0, and the diagonal of the scan for HD95 and mean distance.
    """
    found = compare(mask, truth)
    counts = found.counts
    return {
        "dice": round(found.dice, 5),
        "hd95": round(found.hd95_mm, 3),
        "outcome": found.outcome.value,
        "jaccard": round(found.jaccard, 5),
        "mean_surface_mm": round(found.mean_surface_mm, 3),
        "surface_dice": round(found.surface_dice, 5),
        "tolerance_mm": found.tolerance_mm,
        "volume_ratio": round(found.volume_ratio, 4),
        "added_path_mm": round(found.path.added_mm, 1),
        "added_path_part": round(found.path.relative, 4),
        "missing_slices": counts.missing,
        "wrong_slices": counts.wrong,
        "extra_slices": counts.extra,
        "reference_slices": counts.with_reference,
        "either_slices": counts.with_either,
        SLICES: found.slices,
    }


def slice_rows(row: Row) -> list[Row]:
    """A row per slice of one measured organ, for ``slices.csv``."""
    slices: tuple[SliceAgreement, ...] = row.get(SLICES, ())
    return [
        {
            **{k: row[k] for k in ("case", "organ", "way")},
            "slice": s.index,
            "kind": s.kind.value,
            "dice": round(s.dice, 5),
            "mask_voxels": s.mask_voxels,
            "reference_voxels": s.reference_voxels,
            "shared_voxels": s.shared_voxels,
        }
        for s in slices
    ]


def _centre(region: Region, spec: OrganSpec | None, truth: Mask) -> Any:
    """What the segmenter's crop is centred on, LPS mm: an automatic box without its lopsided margins."""
    return region.centre_lps if spec is None else crop_around(region, spec, truth.geometry)[0]
