"""Which slices an edit has changed, in every orientation of the file."""

from __future__ import annotations

import numpy as np

from Testing.harness.orientations import all_48
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.review.planes import difference

GEOMETRY = Geometry((10, 12, 14), (5.0, -7.0, 30.0), (1.0, 1.5, 2.0))


def test_the_planes_are_those_of_the_standard_array_however_the_file_is_stored():
    before, after = np.zeros((10, 12, 14), bool), np.zeros((10, 12, 14), bool)
    before[2:6, 3:5, 4:7] = True
    after[2:7, 3:5, 4:7] = True  # plane 6 is new
    after[3, 3, 4] = False  # one voxel of plane 3 is gone
    pairs = zip(all_48(before, GEOMETRY), all_48(after, GEOMETRY), strict=True)
    for (old, geometry), (new, _) in pairs:
        found = difference(*(Mask("A", v, (0, 0, 0), geometry).trimmed() for v in (old, new)))
        assert (found.added, found.removed, found.planes) == (6, 1, frozenset({3, 6}))


def test_crops_of_one_contour_do_not_differ():
    whole = Mask("A", np.ones((2, 2, 2), bool), (4, 4, 4), GEOMETRY)
    loose = np.zeros((6, 5, 4), bool)
    loose[3:5, 2:4, 1:3] = True
    found = difference(whole, Mask("A", loose, (1, 2, 3), GEOMETRY))
    assert (found.added, found.removed, found.planes) == (0, 0, frozenset())


def test_from_and_to_nothing():
    nothing = Mask("A", np.zeros((1, 1, 1), bool), (0, 0, 0), GEOMETRY)
    whole = Mask("A", np.ones((2, 2, 2), bool), (4, 4, 4), GEOMETRY)
    assert difference(nothing, whole).planes == difference(whole, nothing).planes == frozenset({4, 5})
    assert difference(whole, nothing).removed == 8
