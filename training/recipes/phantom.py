"""phantom: the same method on the synthetic sample, small enough to train in minutes on two cores."""

from __future__ import annotations

from dataclasses import replace

from .hn_oar_ct import RECIPE as REAL

RECIPE = replace(
    REAL,
    name="phantom",
    locate_spacing=(8.0, 8.0, 8.0),
    locate_shape=(32, 32, 40),
    locate_widths=(8, 16, 32),
    segment_spacing=(4.0, 4.0, 4.0),
    segment_widths=(8, 16, 32),
    average_mirror=False,
    targets=tuple(
        replace(
            t,
            shape=tuple(
                max(16, round(n * s / 4 / 8 + 0.2) * 8) for n, s in zip(t.shape, REAL.segment_spacing, strict=True)
            ),
            click_shape=None,
        )
        for t in REAL.targets
    ),
)
