"""From signals to probabilities and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.manifest import OrganSpec, ReviewSpec, SuspicionSpec
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.review.evidence import Evidence
from TwoStageSegLib.review.findings import Basis, OrganReview, SliceFinding
from TwoStageSegLib.review.suspicion import check_sides, judge
from TwoStageSegLib.review.wording import EDGE, GAP, UNSURE, WRONG_SIDE
from TwoStageSegLib.volume import Volume

SHAPE = (12, 20, 20)


def organ(**changes) -> OrganSpec:
    quick = SuspicionSpec(-1.0, {"area": [5.0, 1.0, -0.5], "pieces": [0.0, 1.0, 3.0]}, 0.6)
    full = SuspicionSpec(-1.0, {"disagreement": [0.1, 0.1, 0.5]}, 0.6)
    base = OrganSpec("Larynx", 0, False, [96.0] * 3, [0.0] * 6, 0.1, 0.2, 0.5, [0.0, 100.0], "", [1, 2, 3])
    return replace(base, **{"review": ReviewSpec(30.0, 1.0, quick, full), **changes})


@pytest.fixture
def volume() -> Volume:
    return Volume(np.full(SHAPE, 30, np.int16), Geometry(SHAPE, (0.0, 0.0, 0.0), (2.0, 2.0, 2.5)), "CT")


@pytest.fixture
def mask(volume: Volume) -> Mask:
    voxels = np.zeros(SHAPE, bool)
    voxels[4:9, 6:12, 5:15] = True
    return Mask("Larynx", voxels, (0, 0, 0), volume.geometry)


def evidence(mask: Mask) -> Evidence:
    return Evidence((0, 0, 0), mask.full().astype(np.float32), 0.5, 1.0)


def test_probability_by_hand(mask: Mask, volume: Volume) -> None:
    review = judge(mask, evidence(mask), volume, organ())
    assert review is not None
    assert review.basis == Basis.SUSPICION
    odds = -1.0 - 0.5 * (np.log(240 + 20) - 5.0)
    assert review.at(6).score == pytest.approx(1 / (1 + np.exp(-odds)))
    assert review.at(6).area_mm2 == 240
    assert review.at(6).centre_lps == pytest.approx((19.0, 17.0, 15.0))
    assert not review.at(6).flagged
    assert review.at(6).reasons == ()


def test_a_flag_says_which_signal_raised_it(mask: Mask, volume: Volume) -> None:
    mask.voxels[6, :, 9:11] = False
    review = judge(mask, evidence(mask), volume, organ())
    assert review is not None
    assert [f.index for f in review.flagged] == [6]
    assert review.flagged[0].reasons == ("in several pieces",)


def test_below_the_usual_has_words_of_its_own(mask: Mask, volume: Volume) -> None:
    mask.voxels[6] = False
    mask.voxels[6, 8, 8] = True
    spec = organ()
    assert spec.review is not None
    strict = replace(spec.review, quick=replace(spec.review.quick, flag_at=0.3))
    review = judge(mask, evidence(mask), volume, replace(spec, review=strict))
    assert review is not None
    assert review.at(6).reasons == ("small cross-section",)


def test_gap_and_edge_are_flagged_whatever_the_probability(mask: Mask, volume: Volume) -> None:
    mask.voxels[6] = False
    whole = evidence(mask)
    cut = replace(whole, start_zyx=(0, 6, 0), probability=whole.probability[:, 6:])
    review = judge(mask, cut, volume, organ())
    assert review is not None
    assert review.at(6).reasons[0] == GAP
    assert review.at(5).reasons[0] == EDGE
    assert review.at(5).flagged
    assert review.at(6).flagged


def test_no_signal_stands_out(mask: Mask, volume: Volume) -> None:
    spec = organ()
    assert spec.review is not None
    weak = replace(spec.review, quick=SuspicionSpec(2.0, {}, 0.5))
    review = judge(mask, evidence(mask), volume, replace(spec, review=weak))
    assert review is not None
    assert {f.text for f in review.slices} == {UNSURE}


def test_a_volume_never_seen_in_training_is_noted_at_the_largest_slice(mask: Mask, volume: Volume) -> None:
    mask.voxels[7, 5] = mask.voxels[7, 6]
    review = judge(mask, evidence(mask), volume, organ(volume_ml=[5.0, 60.0]))
    assert review is not None
    assert review.notes == ("volume 3.1 ml, in the training data 5.0 to 60.0 ml",)
    assert [f.index for f in review.flagged] == [7]
    assert review.flagged[0].reasons[0] == review.notes[0]


def test_the_second_look_has_a_model_of_its_own(mask: Mask, volume: Volume) -> None:
    once = evidence(mask)
    again = once.probability.copy()
    again[5] = 0.0
    review = judge(mask, replace(once, again=again), volume, organ())
    assert review is not None
    assert review.at(5).score == pytest.approx(1 / (1 + np.exp(1 - 0.5 * 9)))  # disagreement 1: 9 scales above usual
    assert review.at(5).reasons == ("outline changes when the crop moves",)
    assert review.at(6).score == pytest.approx(1 / (1 + np.exp(1 + 0.5)))


def test_nothing_to_judge_by(mask: Mask, volume: Volume) -> None:
    assert judge(mask, evidence(mask), volume, organ(review=None)) is None


def at(name: str, x: float) -> OrganReview:
    return OrganReview(name, Basis.SUSPICION, (SliceFinding(name, 3, (x, 0.0, 0.0), 100.0, 0.2),))


def test_sides() -> None:
    """LPS: the patient's left is at larger x."""
    good = check_sides([at("Brainstem", 0.0), at("Parotid_L", 50.0), at("Parotid_R", -50.0)])
    assert all(not r.notes for r in good.values())
    swapped = check_sides([at("Brainstem", 0.0), at("Parotid_L", -50.0), at("Parotid_R", 50.0)])
    assert swapped["Parotid_L"].notes == swapped["Parotid_R"].notes == (WRONG_SIDE,)
    assert swapped["Parotid_L"].flagged[0].index == 3
    assert not swapped["Brainstem"].notes
    pair = check_sides([at("Parotid_L", -50.0), at("Parotid_R", 50.0)])
    assert pair["Parotid_L"].notes == (WRONG_SIDE,)
    assert check_sides([at("Parotid_L", -50.0)])["Parotid_L"].notes == ()
    assert check_sides([]) == {}


def test_a_location_nobody_scored_adds_nothing(mask: Mask, volume: Volume) -> None:
    spec = organ()
    assert spec.review is not None
    model = SuspicionSpec(-1.0, {"location": [0.1, 0.05, 2.0]}, 0.6)
    spec = replace(spec, review=replace(spec.review, quick=model))
    placed = judge(mask, replace(evidence(mask), score=None), volume, spec)
    unsure = judge(mask, replace(evidence(mask), score=0.8), volume, spec)
    assert placed is not None and unsure is not None
    assert placed.at(6).score == pytest.approx(1 / (1 + np.exp(1.0)))
    assert unsure.at(6).score == pytest.approx(1 / (1 + np.exp(1.0 - 2.0 * 2)))
    assert unsure.at(6).reasons == ("location uncertain",)
