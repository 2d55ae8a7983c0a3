"""Added path length: how much contour a person would have to redraw, slice by slice.

Vaassen et al. 2020, doi 10.1016/j.phro.2019.12.001. Variants differ; ours: the edge of a slice is its pixels with a
4-neighbour outside, and what was drawn on another pixel has to be redrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .crop import Bools, cropped


@dataclass(frozen=True)
class PathLength:
    """Lengths in mm: pixels times the mean of the two in-plane spacings.

    Parameters
    ----------
    added_mm : edge of the reference that is not edge of the mask.
    missed_mm : edge of the reference outside the mask (false negative path length).
    reference_mm : all edge of the reference.
    """

    added_mm: float
    missed_mm: float
    reference_mm: float

    @property
    def relative(self) -> float:
        """Part of the reference's contour that is to be drawn, 0..1; 0 where the reference is empty."""
        return self.added_mm / self.reference_mm if self.reference_mm else 0.0


def added_path_length(mask: Bools, reference: Bools, spacing_zyx_mm: Sequence[float]) -> PathLength:
    """Path lengths over the slices (axis 0) of two boolean arrays ``(z, y, x)`` of one shape."""
    own, true = cropped(mask, reference)
    edge, drawn = _edge(true), _edge(own)
    pixel_mm = (float(spacing_zyx_mm[1]) + float(spacing_zyx_mm[2])) / 2
    counts = (np.count_nonzero(edge & ~drawn), np.count_nonzero(edge & ~own), np.count_nonzero(edge))
    added, missed, total = (int(c) * pixel_mm for c in counts)
    return PathLength(added, missed, total)


def _edge(mask: Bools) -> Bools:
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    inside = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return np.asarray(mask & ~inside, bool)
