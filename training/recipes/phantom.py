"""phantom: the same method on the synthetic sample, small enough to train in minutes on two cores."""

from __future__ import annotations

from dataclasses import replace

from .common import Budget
from .hn_oar_ct import RECIPE as REAL
from .recipe import Target


def _shape(target: Target) -> tuple[int, int, int]:
    """The real recipe's crop in voxels of 4 mm, to a multiple of 8."""
    z, y, x = (max(16, round(n * s / 4 / 8 + 0.2) * 8) for n, s in zip(target.shape, REAL.segment_spacing, strict=True))
    return z, y, x


RECIPE = replace(
    REAL,
    name="phantom",
    locate_spacing=(8.0, 8.0, 8.0),
    locate_shape=(32, 32, 40),
    locate_widths=(8, 16, 32),
    segment_spacing=(4.0, 4.0, 4.0),
    segment_widths=(8, 16, 32),
    average_mirror=False,
    lr=2e-3,
    targets=tuple(replace(t, shape=_shape(t), click_shape=None) for t in REAL.targets),
    budgets=(
        Budget("locate", 2200, decay_steps=1000),
        Budget("segment", 1400, decay_steps=800),
    ),
)
