"""The findings as a list, and through JSON."""

from __future__ import annotations

from TwoStageSegLib.review.findings import NO_FLAG, Basis, OrganReview, SliceFinding, worst_first


def finding(organ: str, index: int, score: float, flagged: bool = True, dice: float | None = None) -> SliceFinding:
    return SliceFinding(organ, index, (1.0, -2.5, 3.0 * index), 120.0, score, ("soft outline",), flagged, dice)


def test_worst_first_over_organs_and_feet_to_head_among_equals() -> None:
    a = OrganReview("A", Basis.SUSPICION, (finding("A", 5, 0.4), finding("A", 3, 0.4), finding("A", 4, 0.9, False)))
    b = OrganReview("B", Basis.SUSPICION, (finding("B", 1, 0.4), finding("B", 9, 0.8)))
    assert [(f.organ, f.index) for f in worst_first((a, b))] == [("B", 9), ("A", 3), ("A", 5), ("B", 1)]
    assert [f.index for f in a.flagged] == [3, 5]


def test_a_slice_without_flag_is_never_called_good() -> None:
    assert finding("A", 1, 0.1, flagged=False).text == NO_FLAG == "no flag"
    assert finding("A", 1, 0.1).text == "soft outline"


def test_slices_are_counted_from_one() -> None:
    assert finding("A", 0, 0.5).number == 1


def test_json_and_back() -> None:
    slices = (finding("A", 3, 0.25, dice=0.75), finding("A", 4, 0.5, False))
    review = OrganReview("A", Basis.REFERENCE, slices, ("a note",))
    assert OrganReview.from_json(review.as_json()) == review
    assert review.at(4) is review.slices[1]
    assert review.at(9) is None
