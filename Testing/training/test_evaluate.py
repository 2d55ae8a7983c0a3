"""Figures of an evaluation by hand, and what is written."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from training.data.prepared import Case
from training.evaluate import SCALES, SHIFTS_MM, regions, summarise, table, write_results
from training.measure import measure_mask, slice_rows
from training.reference import mask_of, true_box, volume_of
from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region, Source


def row(case: str, way: str, dice: float, hd95: float = 1.0, **other) -> dict:
    values = {"organ": "Larynx", "status": "located", "held": 1.0, "centre_error_mm": 2.0}
    return {"case": case, "way": way, "dice": dice, "hd95": hd95, **values, **other}


ROWS = [
    row("a", "auto", 0.8, 2.0),
    row("b", "auto", 0.6, 4.0, held=0.98, centre_error_mm=4.0),
    row("c", "auto", 0.0, 300.0, held=0.0, status="not located", centre_error_mm=float("nan")),
    *(row(c, w, d) for c, d in zip("abc", (0.9, 0.8, 0.4), strict=True) for w in ("box", "click")),
]


def test_summary_by_hand():
    entry = summarise(ROWS, ("Brainstem", "Larynx"))
    assert list(entry) == ["Larynx"]  # no case has the other
    larynx = entry["Larynx"]
    assert (larynx["n"], larynx["held_99"]) == (3, "1/3")
    auto = larynx["auto"]
    assert auto["dice"] == pytest.approx(1.4 / 3, abs=1e-4) and auto["dice_median"] == 0.6
    assert auto["dice_p10"] == pytest.approx(0.12)  # 0, 0.6, 0.8: a fifth of the way from 0 to 0.6
    assert auto["hd95"] == pytest.approx(102.0) and auto["located"] == 2
    assert larynx["box"]["dice"] == pytest.approx(0.7) and larynx["box"]["located"] == 3
    assert larynx["centre_error_mm"] == pytest.approx(3.0)  # of the two that have a place


def test_an_organ_that_was_never_located_has_no_centre_error_and_valid_json():
    lost = [row("a", w, 0.0, status="not located", centre_error_mm=float("nan")) for w in ("auto", "box", "click")]
    summary = summarise(lost, ("Larynx",))
    assert summary["Larynx"]["centre_error_mm"] is None
    json.dumps(summary, allow_nan=False)
    assert "| - | 1/1 |" in table(summary)


def test_the_table_of_a_single_stage_has_gaps():
    only = [row("a", "auto", 0.5, 3.0, centre_error_mm=float("nan"))]
    assert "| Larynx | 1 | - | 0.500 | - | - | 3.0 | - | - | 1/1 |" in table(summarise(only, ("Larynx",)))


def test_written_files(tmp_path):
    summary = summarise(ROWS, ("Larynx",))
    write_results(tmp_path / "results", ROWS, summary)
    with (tmp_path / "results" / "cases.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert len(written) == len(ROWS) and list(written[0]) == list(ROWS[0])
    assert (written[0]["case"], written[0]["way"], float(written[0]["dice"])) == ("a", "auto", 0.8)
    assert json.loads((tmp_path / "results" / "summary.json").read_text()) == summary
    text = (tmp_path / "results" / "summary.md").read_text()
    assert text == table(summary)
    assert "| Larynx | 3 | 0.700 | 0.467 | 0.700 | 1.0 | 102.0 | 1.0 | 3.0 | 1/3 |" in text
    assert "maximum of the two directed 95th percentiles" in text


@pytest.fixture
def truth(case: Case) -> Mask:
    return mask_of(case, "Brainstem", volume_of(case))


def test_every_way_of_locating(truth: Mask) -> None:
    automatic = Region.not_located("Brainstem")
    ways = dict(regions("case", truth, automatic, curves=True))
    shifts, scales = [f"shift_{mm}" for mm in SHIFTS_MM], [f"scale_{f}" for f in SCALES]
    assert list(ways) == ["auto", "box", "click", *shifts, *scales]
    assert ways["auto"] is automatic and ways["box"] == true_box(truth)
    centre = true_box(truth).centre_lps
    for way, mm in (("click", 5), *((f"shift_{mm}", mm) for mm in SHIFTS_MM)):
        assert ways[way].source == Source.CLICK
        assert np.linalg.norm(np.subtract(ways[way].centre_lps, centre)) == pytest.approx(mm, abs=1e-6)
    for factor in SCALES:
        assert ways[f"scale_{factor}"].size_mm == pytest.approx(np.multiply(true_box(truth).size_mm, factor))
    assert list(dict(regions("case", truth, automatic, curves=False))) == ["auto", "box", "click"]


def test_two_bundles_see_the_same_clicks_and_two_cases_do_not(truth: Mask) -> None:
    one, again, other = (
        dict(regions(case, truth, Region.not_located("Brainstem", score), False))["click"]
        for case, score in (("a", 0.1), ("a", 0.9), ("b", 0.1))
    )
    assert one == again and one != other


def test_a_perfect_mask(case: Case, truth: Mask) -> None:
    found = measure_mask(case, "Brainstem", "box", truth, true_box(truth), truth)
    assert (found["dice"], found["hd95"], found["held"], found["centre_error_mm"]) == (1.0, 0.0, 1.0, 0.0)
    assert found["ml"] == found["true_ml"] == pytest.approx(20.48)


def test_a_mask_one_voxel_off(case: Case, truth: Mask) -> None:
    z, y, x = truth.start_zyx
    moved = replace(truth, start_zyx=(z, y, x + 1))
    found = measure_mask(case, "Brainstem", "click", truth, Region.click("Brainstem", (75.0, 70.0, 48.75)), moved)
    assert found["dice"] == pytest.approx(7 / 8)
    assert found["hd95"] == 4.0  # the face moved by one voxel of 4 mm, more than a twentieth of the surface
    assert found["centre_error_mm"] == pytest.approx(5.0)  # the centre is at 70, 70, 48.75
    assert found["held"] == 0.0  # a click has no box
    assert (found["outcome"], found["volume_ratio"], found["jaccard"]) == (
        "compared",
        1.0,
        pytest.approx(7 / 9, abs=1e-5),
    )
    assert (found["tolerance_mm"], found["missing_slices"], found["extra_slices"]) == (2.5, 0, 0)
    assert found["reference_slices"] == found["either_slices"] == 8
    # in each of 8 slices the column of 8 pixels that was not drawn over, and the 6 that are contour no more on its
    # neighbour's side, 4 mm each
    assert found["added_path_mm"] == 8 * (8 + 6) * 4 and found["added_path_part"] == pytest.approx(14 / 28)
    assert [(r["slice"], r["dice"], r["kind"]) for r in slice_rows(found)] == [
        (i, 7 / 8, "drawn") for i in range(z, z + 8)
    ]


def test_a_missed_organ_counts_with_the_scans_diagonal(case: Case, truth: Mask) -> None:
    found = measure_mask(case, "Brainstem", "auto", truth, Region.not_located("Brainstem"), None)
    assert (found["dice"], found["ml"], found["status"]) == (0.0, 0.0, "not located")
    assert found["hd95"] == pytest.approx(np.sqrt(100**2 + 144**2 + 144**2), abs=0.01)
    assert np.isnan(found["centre_error_mm"])
    assert (found["outcome"], found["surface_dice"], found["volume_ratio"]) == ("missing", 0.0, 0.0)
    assert found["mean_surface_mm"] == found["hd95"] and found["missing_slices"] == found["reference_slices"] == 8
    assert {r["kind"] for r in slice_rows(found)} == {"missing"}


def test_centre_error_is_that_of_the_crop_not_of_the_lopsided_margins(case, prepared) -> None:
    volume = volume_of(case)
    truth = mask_of(case, "Brainstem", volume)
    box = true_box(truth)
    spec = organ_spec("Brainstem", margin_mm=[0.0, 0.0, 0.0, 20.0, 0.0, 0.0], crop_mm=[100.0, 100.0, 100.0])
    x, y, z = box.centre_lps
    dx, dy, dz = box.size_mm
    padded = replace(box, source=Source.AUTO, centre_lps=(x, y + 10.0, z), size_mm=(dx, dy + 20.0, dz))
    assert measure_mask(case, "Brainstem", "auto", truth, padded, truth, spec)["centre_error_mm"] == pytest.approx(0.0)
    assert measure_mask(case, "Brainstem", "auto", truth, padded, truth)["centre_error_mm"] == pytest.approx(10.0)


def organ_spec(name: str, margin_mm: list[float], crop_mm: list[float]) -> OrganSpec:
    return OrganSpec(name, 0, False, crop_mm, margin_mm, 0.5, 0.6, 0.5, [1.0, 2.0], "", [0, 0, 0])
