"""Measure a bundle on test cases: automatic, true box and simulated click side by side, and the location-error curve.

Only whole organs count. Every random shift is seeded by case and organ, so that two bundles see the same clicks.
Results: ``cases.csv`` (a row per case, organ and way of locating), ``slices.csv`` (a row per slice), ``about.json``,
``summary.json``, ``summary.md`` and plots; with ``write`` the figures also go into the bundle's manifest and model
card.
"""

from __future__ import annotations

import csv
import json
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import HD95_DEFINITION
from TwoStageSegLib.model import Model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Region
from TwoStageSegLib.volume import Volume

from .data.prepared import Case
from .measure import SLICE_FIELDS, SLICES, Row, agreement, measure_mask, slice_rows
from .reference import clicked, mask_of, scaled, shifted, true_box, volume_of
from .scanner import embed, embedded_mask, own_voxels

CLICK_ERROR_MM = 5.0
SHIFTS_MM = (0, 1, 3, 5, 7, 9)
SCALES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)


def evaluate(
    model: Model, cases: list[Case], curves: bool = True, device: str = "auto", surroundings: bool = False
) -> list[Row]:
    """One row per case, whole organ and way of locating: ``auto``, ``box``, ``click``, ``shift_N``, ``scale_N``.

    ``surroundings`` embeds every scan in a planning CT's field of view first (see ``scanner``); agreement is still
    measured on the scan's own voxels, so that the figures compare.
    """
    pipeline = Pipeline(model, device)
    rows: list[Row] = []
    for case in cases:
        volume = embed(case) if surroundings else volume_of(case)
        started = time.perf_counter()
        automatic = pipeline.locate(volume)
        locate_s = time.perf_counter() - started
        for organ in model.manifest.organ_names:
            if not case.whole(organ):
                continue
            truth = embedded_mask(case, organ, volume) if surroundings else mask_of(case, organ, volume)
            for way, region in regions(case.name, truth, automatic[organ], curves):
                started = time.perf_counter()
                mask = _segmented(pipeline, volume, region)
                segment_s = time.perf_counter() - started
                row = measure_mask(case, organ, way, truth, region, mask, model.manifest.organ(organ))
                # locating finds all organs of a case at once: the same seconds stand in each of its automatic rows
                row |= {"locate_s": round(locate_s, 3) if way == "auto" else 0.0, "segment_s": round(segment_s, 3)}
                if surroundings and mask is not None and not mask.empty:
                    row |= agreement(own_voxels(mask, case), mask_of(case, organ, volume_of(case)))
                rows.append(row)
    return rows


def regions(case: str, truth: Mask, automatic: Region, curves: bool) -> Iterator[tuple[str, Region]]:
    """Every way of locating one organ, by name."""
    rng = np.random.default_rng(zlib.crc32(f"{case}/{truth.organ}".encode()))
    box = true_box(truth)
    yield "auto", automatic
    yield "box", box
    yield "click", clicked(box, CLICK_ERROR_MM, rng)
    if curves:
        for mm in SHIFTS_MM:
            yield f"shift_{mm}", clicked(box, float(mm), rng)
        for factor in SCALES:
            yield f"scale_{factor}", scaled(shifted(box, 0.0, rng), factor)


def summarise(rows: list[Row], organs: tuple[str, ...]) -> dict[str, Any]:
    """Per organ: n, Dice, mean HD95 and located count of each way; how many boxes hold 99 % of the organ."""
    out: dict[str, Any] = {}
    for organ in organs:
        own = [r for r in rows if r["organ"] == organ]
        if not own:
            continue
        auto = [r for r in own if r["way"] == "auto"]
        entry: dict[str, Any] = {"n": len(auto), "held_99": f"{sum(r['held'] >= 0.99 for r in auto)}/{len(auto)}"}
        for way in dict.fromkeys(r["way"] for r in own):
            values = [r for r in own if r["way"] == way]
            entry[way] = {
                "dice": round(float(np.mean([r["dice"] for r in values])), 4),
                "dice_median": round(float(np.median([r["dice"] for r in values])), 4),
                "dice_p10": round(float(np.percentile([r["dice"] for r in values], 10)), 4),
                "hd95": round(float(np.mean([r["hd95"] for r in values])), 2),
                "located": sum(r["status"] != "not located" for r in values),
            }
        errors = [r["centre_error_mm"] for r in auto if np.isfinite(r["centre_error_mm"])]  # of those that have a place
        entry["centre_error_mm"] = round(float(np.mean(errors)), 2) if errors else None
        out[organ] = entry
    return out


def write_results(folder: Path, rows: list[Row], summary: dict[str, Any], about: dict[str, Any] | None = None) -> None:
    """``cases.csv``, ``slices.csv``, ``about.json`` (what was measured), ``summary.json`` and ``summary.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "cases.csv", [k for k in rows[0] if k != SLICES], rows)
    shown = (r for r in rows if not r["way"].startswith(("shift_", "scale_")))
    _write_csv(folder / "slices.csv", SLICE_FIELDS, (line for row in shown for line in slice_rows(row)))
    (folder / "about.json").write_text(json.dumps(about or {}, indent=1) + "\n", encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / "summary.md").write_text(table(summary), encoding="utf-8")


def table(summary: dict[str, Any]) -> str:
    """The three columns of papers/002 side by side, Markdown."""
    lines = [
        f"HD95: {HD95_DEFINITION}; an organ that was missed counts with the diagonal of the scan.",
        "",
        "| organ | n | true box | automatic | click 5 mm off "
        "| HD95 box | HD95 auto | HD95 click | centre error mm | box holds 99 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for organ, e in summary.items():
        ways = [e.get(w) for w in ("box", "auto", "click")]  # the single-stage baseline has "auto" alone
        cells = [f"{w['dice']:.3f}" if w else "-" for w in ways] + [f"{w['hd95']:.1f}" if w else "-" for w in ways]
        error = "-" if e["centre_error_mm"] is None else f"{e['centre_error_mm']:.1f}"
        lines.append(f"| {organ} | {e['n']} | {' | '.join(cells)} | {error} | {e['held_99']} |")
    return "\n".join(lines) + "\n"


def evaluation_for_manifest(model: Model, summary: dict[str, Any], cases: str, training: str) -> Model:
    """Write the figures into the bundle's manifest and model card. Returns the re-verified bundle."""
    from .export import write_manifest

    curves = {
        organ: {
            "shift_mm": [[mm, e[f"shift_{mm}"]["dice"]] for mm in SHIFTS_MM if f"shift_{mm}" in e],
            "box_scale": [[f, e[f"scale_{f}"]["dice"]] for f in SCALES if f"scale_{f}" in e],
        }
        for organ, e in summary.items()
    }
    evaluation = {
        "cases": cases,
        "hd95_definition": HD95_DEFINITION,
        "training": training,
        "organs": summary,
        "location_error": curves,
    }
    if "review" in model.manifest.evaluation:  # measured by ``training suspicion``
        evaluation["review"] = model.manifest.evaluation["review"]
    return write_manifest(model.folder, replace(model.manifest, evaluation=evaluation))


def _segmented(pipeline: Pipeline, volume: Volume, region: Region) -> Mask | None:
    return pipeline.system.segment(volume, region) if region.usable else None


def _write_csv(path: Path, fields: Iterable[str], rows: Iterable[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(fields), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
