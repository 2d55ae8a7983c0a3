"""What counts when a located box is measured against the organ."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate import found_it, margins

LONG = np.array([[-10.0, 10.0], [-15.0, 15.0], [0.0, 150.0]])  # an esophagus: 20 x 30 x 150 mm
COMPACT = np.array([[-20.0, 20.0], [-25.0, 25.0], [0.0, 60.0]])  # a parotid


@pytest.mark.parametrize(
    ("faces", "miss", "found"),
    [
        (LONG, [5, 5, 5, 5, 5, 5], True),
        (LONG, [0, 0, 0, 0, 0, 39], True),  # a quarter of its length
        (LONG, [0, 0, 0, 0, 0, 51], False),  # more than a third of 150 mm
        (LONG, [0, 31, 0, 0, 0, 0], False),  # beside it
        (LONG, [-90, -90, -90, -90, -90, -90], True),  # too large is not too short
        (COMPACT, [0, 0, 0, 0, 30, 0], True),
        (COMPACT, [0, 0, 0, 0, 31, 0], False),
    ],
)
def test_short_by_a_third_and_by_30_mm_is_something_else(faces: np.ndarray, miss: list[float], found: bool) -> None:
    assert found_it(miss, faces, 30.0) is found


def test_margins_by_hand() -> None:
    """Misses of 0, 4 and 8 mm at one face: 1.25 * 8; mean 4 and deviation 4. The other faces were never missed."""
    misses = [[m, -20.0, -20.0, -20.0, -20.0, -20.0] for m in (0.0, 4.0, 8.0)]
    assert margins(misses, 3.0) == [13.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    assert margins(misses, 3.0, deviations=3.0) == [19.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    assert margins(misses[:1], 3.0, deviations=3.0) == [3.0] * 6  # one case has no deviation
