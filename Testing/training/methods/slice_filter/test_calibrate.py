"""Calibration by hand: two scans of ten slices, probabilities and masks small enough to count on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from Testing.harness.filter_bundle import write_filter_bundle
from training.methods.slice_filter.bundle import EVERY_SLICE
from training.methods.slice_filter.calibrate import FEW, best_filter, calibrated, case_dice, slice_rates
from training.methods.slice_filter.measured import Measured, drawn
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model, load_model
from TwoStageSegLib.systems.slice_filter import SliceFilter
from TwoStageSegLib.systems.slice_positive import range_region
from TwoStageSegLib.volume import Volume

SHAPE = (10, 8, 8)


def case(probabilities: list[float], shows: range, values: np.ndarray | None = None) -> Measured:
    """Slices of 3 mm; the organ is the 4 x 4 middle of ``shows``, SANet finds it surely in every slice it draws."""
    full = np.zeros(SHAPE, bool)
    full[list(shows), 2:6, 2:6] = True
    if values is None:
        values = np.zeros(SHAPE, np.float32)
        values[:, 2:6, 2:6] = 0.9
    truth = Mask("GTV", full, (0, 0, 0), Geometry(SHAPE, (0.0, 0.0, 0.0), (2.0, 2.0, 3.0))).trimmed()
    return Measured(dict(enumerate(probabilities)), truth, values, full, (0, 0, 0), 3.0, 10)


CLEAR = [0.1, 0.1, 0.3, 0.9, 0.9, 0.8, 0.9, 0.2, 0.1, 0.1]  # slices 3 to 6 are the organ's


def test_rates_of_slices():
    f = case(CLEAR, range(3, 7))
    assert slice_rates([f], (0.5, 0)) == (1.0, 1.0)
    assert slice_rates([f], (0.85, 0)) == (0.5, 2 * 2 / (2 + 4))  # 3, 4 and, apart, 6: the longer run counts
    assert slice_rates([f], (0.85, 1)) == (1.0, 1.0)
    assert slice_rates([f], (0.25, 0)) == (1.0, 2 * 4 / (5 + 4))  # slice 2 as well
    assert slice_rates([f], (0.95, 0)) == (0.0, 0.0)


def test_the_highest_threshold_of_enough_recall_and_gaps_only_where_they_help():
    cut, gaps = best_filter([case(CLEAR, range(3, 7))])
    assert (cut, gaps) == (0.8, 0)  # with a gap closed 0.9 would do as well: equal F1, fewer gaps
    torn = [0.1, 0.1, 0.6, 0.9, 0.9, 0.02, 0.9, 0.6, 0.1, 0.1]
    assert best_filter([case(torn, range(3, 7))]) == (0.9, 1)  # without: recall only from 0.02 on, eight slices


def test_recall_counts_the_slices_of_all_cases_together():
    """95 % of 20 + 4 slices: the short organ may lose a slice."""
    long = Measured(dict.fromkeys(range(20), 0.9), *_organ(20))
    short = Measured({0: 0.9, 1: 0.9, 2: 0.9, 3: 0.5}, *_organ(4))
    assert best_filter([long, short]) == (0.9, 0)
    assert best_filter([short])[0] == 0.5


def _organ(slices: int) -> tuple:
    full = np.ones((slices, 2, 2), bool)
    truth = Mask("GTV", full, (0, 0, 0), Geometry(full.shape, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    return truth, full.astype(np.float32), full, (0, 0, 0), 1.0, slices


def test_dice_of_what_would_be_drawn():
    f = case(CLEAR, range(3, 7))
    assert case_dice(f, (0.5, 0), 0.5, 0.0) == 1.0
    assert case_dice(f, (0.85, 0), 0.5, 0.0) == pytest.approx(2 * 2 / (2 + 4))
    assert case_dice(f, (0.85, 0), 0.5, 6.0) == pytest.approx(2 * 4 / (6 + 4))  # slices 1 to 6
    assert case_dice(f, (0.5, 0), 0.95, 0.0) == 0.0
    beside = f.values.copy()
    beside[3, 0, 0] = 0.9  # hangs together with nothing
    assert case_dice(case(CLEAR, range(3, 7), beside), (0.5, 0), 0.5, 0.0) == 1.0


def test_what_lies_beyond_the_field_counts_as_missed():
    """SANet saw the left half only: 4 x 8 of 4 x 16 voxels."""
    f = case(CLEAR, range(3, 7))
    half = replace(f, values=f.values[:, :, :4], reference=f.reference[:, :, :4])
    assert case_dice(half, (0.5, 0), 0.5, 0.0) == pytest.approx(2 * 32 / (32 + 64))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_filter_bundle(tmp_path_factory.mktemp("filter") / "bundle"))


@pytest.mark.parametrize("margin_mm", [0.0, 1.4, 1.6, 3.0, 6.0, 40.0])
def test_margins_draw_the_slices_that_the_running_system_draws(model, margin_mm):
    f = case(CLEAR, range(3, 7))
    volume = Volume(np.zeros(SHAPE, np.int16), f.truth.geometry, "CT")
    organ = replace(model.manifest.organs[0], margin_mm=[0.0] * 4 + [margin_mm] * 2)
    region = range_region([3, 4, 5, 6], 0.9, organ, volume.standard.geometry, (4.0, 4.0), 192.0)
    engine = SliceFilter(model, Device("cpu", "CPU", half=False))._slices(volume, region, organ)
    assert drawn(f, 0.5, 0, margin_mm) == engine


def fed(monkeypatch: pytest.MonkeyPatch, *cases: Measured) -> None:
    monkeypatch.setattr("training.methods.slice_filter.calibrate.measured", lambda model, given: list(cases))


def unmeasured(model: Model, threshold: float = 0.5, volume: tuple[float, float] = (0.0, 1e6)) -> Model:
    m = model.manifest
    organ = replace(m.organs[0], volume_ml=list(volume))
    return replace(model, manifest=replace(m, organs=[organ], parameters={"slice_threshold": threshold}))


def test_the_manifest_gets_what_was_measured(model, monkeypatch):
    fed(monkeypatch, *[case(CLEAR, range(3, 7))] * FEW)
    m = calibrated(unmeasured(model), [])
    organ = m.organs[0]
    assert m.parameters == {"slice_threshold": 0.8, "close_gaps": 0}
    assert organ.margin_mm == [0.0] * 6  # a wider range would only add wrong slices
    assert organ.threshold == 0.75  # all equal up to 0.9: the last one
    score = 0.875 * 3.5 / 3.5
    assert (organ.low_score, organ.located_score) == (score, round(0.85 * score, 3))
    assert organ.volume_ml == [0.8, 0.8]  # 4 x 16 voxels of 12 mm3: 0.768 ml


def test_few_cases_cannot_say_what_is_not_located(model, monkeypatch):
    fed(monkeypatch, *[case(CLEAR, range(3, 7))] * (FEW - 1))
    organ = calibrated(unmeasured(model), []).organs[0]
    assert (organ.low_score, organ.located_score) == (0.875, 0.0)


def test_margins_where_the_filter_is_too_narrow(model, monkeypatch):
    """Two scans in which the classifier misses one slice in twenty-five: recall is enough, a slice more is better."""
    sure = [0.1] * 2 + [0.9] * 5 + [0.1] * 3
    short = case(sure, range(1, 8))
    fed(monkeypatch, short)
    monkeypatch.setattr("training.methods.slice_filter.calibrate.RECALL", 0.7)
    assert calibrated(unmeasured(model), []).organs[0].margin_mm == [0.0] * 4 + [3.0] * 2


def test_stated_volumes_stay(model, monkeypatch):
    fed(monkeypatch, case(CLEAR, range(3, 7)))
    assert calibrated(unmeasured(model, volume=(5.0, 3000.0)), []).organs[0].volume_ml == [5.0, 3000.0]


def test_a_bundle_that_does_not_filter_draws_every_slice(model, monkeypatch):
    fed(monkeypatch, case(CLEAR, range(3, 7)))
    m = calibrated(unmeasured(model, EVERY_SLICE), [])
    assert m.parameters["slice_threshold"] == EVERY_SLICE and m.parameters["close_gaps"] == 0
    assert (m.organs[0].located_score, m.organs[0].low_score) == (0.0, 0.0)


def test_an_organ_that_was_never_found_is_said(model, monkeypatch):
    fed(monkeypatch, case([0.9] + [0.001] * 9, range(5, 9)))
    with pytest.raises(UsageError, match="GTV was located in no validation case"):
        calibrated(unmeasured(model), [])
