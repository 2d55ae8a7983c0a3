"""hn-oar-ct-small: papers/002 at a size that can be repeated ten times in an hour on one core (``training repeat``).

Narrow networks and one or two hundred steps each, the baseline with as many steps as locator and segmenter together. It
shows what two stages are worth at a small budget and how much training noise there is; its masks are of no other use.
"""

from __future__ import annotations

from dataclasses import replace

from .common import Budget
from .hn_oar_ct import RECIPE as FULL

RECIPE = replace(
    FULL,
    name="hn-oar-ct-small",
    locate_widths=(8, 16, 32),
    segment_widths=(8, 16, 32),
    targets=tuple(
        replace(t, network="segment") for t in FULL.targets if t.organ in ("Brainstem", "Parotid_R", "Parotid_L")
    ),
    organs=("Brainstem", "Parotid_R", "Parotid_L"),
    lr=2e-3,
    ema=0.99,
    budgets=(
        Budget("locate", 150, decay_steps=80, every=50),
        Budget("segment", 100, decay_steps=60, every=50),
        Budget("baseline", 250, decay_steps=130, every=125),
    ),
)
