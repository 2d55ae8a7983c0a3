"""Review against a reference: which slices, why, in which words, and where the views go."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.harness.orientations import all_48
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.review.findings import BAD_DICE, NO_FLAG, Basis, worst_first
from TwoStageSegLib.review.reference import compare_with_reference

# slices 2 mm, rows 1 mm, columns 3 mm; voxel (z, y, x) lies at (3x - 3, y + 8, 2z + 40)
GRID = Geometry((8, 4, 10), (-3.0, 8.0, 40.0), (3.0, 1.0, 2.0))


def scene() -> np.ndarray:
    """1: result, 2: reference, 3: both; a slice of every kind."""
    labels = np.zeros(GRID.shape_zyx, int)
    labels[1, 1, 2:6] = 2  # missing; middle at y 1, x 3.5
    labels[2, 1, 2:6] = 3  # the same
    labels[3, 1, 2:5], labels[3, 1, 5:7] = 3, 1  # Dice 2 x 3 / (5 + 3) = 0.75
    labels[4, 1, 2:4], labels[4, 1, 4:6] = 3, 1  # Dice 2 x 2 / (4 + 2) = 0.67
    labels[5, 1, 0:4], labels[5, 1, 4], labels[5, 1, 5:9] = 1, 3, 2  # 1 of 5 inside, Dice 0.2
    labels[7, 1, 2:6] = 1  # extra, after a gap
    return labels


def masks(labels: np.ndarray, geometry: Geometry = GRID) -> tuple[Mask, Mask]:
    result, reference = (Mask("Larynx", np.isin(labels, k), (0, 0, 0), geometry).trimmed() for k in ((1, 3), (2, 3)))
    return result, reference


def test_every_slice_has_its_reason():
    review = compare_with_reference(*masks(scene()))
    assert (review.organ, review.basis) == ("Larynx", Basis.REFERENCE)
    assert {s.index: s.text for s in review.slices} == {
        1: "missing: the reference has the organ here, the result has not",
        2: NO_FLAG,
        3: NO_FLAG,
        4: "Dice 0.67",
        5: "wrong object: 20 % of what was drawn lies in the reference (less than 25 %); Dice 0.20",
        7: "extra: the result has the organ here, the reference has not",
    }
    assert [s.dice for s in review.slices] == pytest.approx([0, 1, 0.75, 2 / 3, 0.2, 0])
    assert all(s.score == pytest.approx(1 - s.dice) for s in review.slices)
    assert all(s.flagged == (s.dice < BAD_DICE) for s in review.slices)
    assert review.notes == ("of 6 slices: 1 missing, 1 of a wrong object, 1 extra",)


def test_worst_first_and_feet_first_among_equals():
    review = compare_with_reference(*masks(scene()))
    assert [s.index for s in review.flagged] == [1, 7, 5, 4]
    assert worst_first((review,)) == review.flagged


def test_area_and_place():
    found = {s.index: s for s in compare_with_reference(*masks(scene())).slices}
    assert found[1].area_mm2 == 0.0  # of the result; the views go to where the reference is
    assert found[1].centre_lps == pytest.approx((3 * 3.5 - 3, 1 + 8, 2 * 1 + 40))
    assert found[2].area_mm2 == 4 * 3.0
    assert found[5].centre_lps == pytest.approx((3 * 2 - 3, 9, 50))  # the middle of what was drawn, x 0 to 4
    assert found[7].centre_lps == pytest.approx((3 * 3.5 - 3, 9, 54))


def test_the_same_in_every_storage_order():
    expected = compare_with_reference(*masks(scene()))
    for turned, geometry in all_48(scene(), GRID):
        found = compare_with_reference(*masks(turned, geometry))
        assert found.notes == expected.notes
        for a, b in zip(found.slices, expected.slices, strict=True):
            assert (a.index, a.reasons, a.flagged, a.dice, a.area_mm2) == (
                b.index,
                b.reasons,
                b.flagged,
                b.dice,
                b.area_mm2,
            )
            assert a.centre_lps == pytest.approx(b.centre_lps)


def test_nothing_drawn():
    _, reference = masks(scene())
    nothing = Mask("Larynx", np.zeros((1, 1, 1), bool), (0, 0, 0), GRID)
    for result in (None, nothing):
        review = compare_with_reference(result, reference)
        assert review.notes == ("the result has nothing of this organ",)
        assert [s.index for s in review.flagged] == [1, 2, 3, 4, 5]
        assert {s.score for s in review.slices} == {1.0}


def test_nothing_to_compare_with():
    result, _ = masks(scene())
    nothing = Mask("Larynx", np.zeros((1, 1, 1), bool), (0, 0, 0), GRID)
    review = compare_with_reference(result, nothing)
    assert review.notes == ("the reference has nothing of this organ",)
    assert all(s.text.startswith("extra") for s in review.slices)
    assert compare_with_reference(nothing, nothing).notes == ("neither the result nor the reference has this organ",)


def test_a_result_without_an_error_has_no_flag_and_no_note():
    _, reference = masks(scene())
    review = compare_with_reference(reference, reference)
    assert review.flagged == () and review.notes == ()


def test_another_grid_is_refused():
    result, _ = masks(scene())
    _, elsewhere = masks(scene(), Geometry(GRID.shape_zyx, (0.0, 0.0, 0.0), GRID.spacing_xyz_mm))
    with pytest.raises(InputRefused, match="Bring both to the grid of the scan"):
        compare_with_reference(result, elsewhere)
