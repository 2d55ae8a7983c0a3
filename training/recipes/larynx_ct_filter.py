"""larynx-ct-filter: one organ at risk, the larynx, on CT with the system ``slice-filter`` (papers/001).

The second of two recipes for this system: here scans are whole (34 to 128 slices, of which a median of 12 show the
larynx), as the paper's are, so the filter has something to filter. Where the larynx is not contoured a scan says
nothing: 79 of 170 training cases have it.

The field is 240 mm: contours reach up to 88 mm (front to back) from the body's middle. Left and right are alike, so
samples are mirrored; the paper's vertical flip would show necks that no scanner makes, so it is off. Both ratios of
slices are 1:1 (``locate_theta``, ``segment_theta``), which was best for the paper's lungs; for its nasopharynx, whose
share of positive slices is nearer to the larynx's, 1:4 was.

Sizes against the paper: as in ``gtv_ct_filter``. ``ALONE`` is the ablation "SANet alone", as there:
``python -m training export --recipe larynx-ct-filter-off`` with the ``--run`` of this one.
"""

from __future__ import annotations

from dataclasses import replace

from ..augment import PoseRange
from ..methods.slice_filter.recipe import SliceFilterRecipe
from ..sources import OPENKBP_ALONE
from .common import Budget

RECIPE = SliceFilterRecipe(
    name="larynx-ct-filter",
    packed=True,
    organs=("Larynx",),
    clip=(-300.0, 400.0),
    centre=0.0,
    scale=150.0,
    field_mm=240.0,
    locate_pixel_mm=2.5,
    segment_pixel_mm=1.875,
    slice_mm=2.5,
    locate_widths=(16, 32, 64, 128),
    segment_widths=(16, 32, 64, 128),
    segment_width=32,
    locate_batch=32,
    segment_batch=16,
    mirror=True,
    surroundings=True,  # blanked outside the body
    poses=PoseRange(rotation_deg=6.0, scale=(0.85, 1.18), stretch=0.05, shift_mm=6.0),
    crop_mm=(40.0, 72.0, 72.0),
    budgets=(
        Budget("locate", 1050, restarts=150, every=75),
        Budget("segment", 1750, restarts=250, every=125),
    ),
)

ALONE = replace(RECIPE, name="larynx-ct-filter-off", filtered=False)

SOURCE = replace(
    OPENKBP_ALONE,
    title="Head and neck CT, larynx in filtered slices",
    intended_use=(
        "Research. Proposes contours of the larynx on head-and-neck CT (adults, planning position) for review and "
        "correction by a qualified person."
    ),
    references=[
        "doi:10.1016/j.compmedimag.2023.102323 (Shi et al., slice filter and SANet)",
        OPENKBP_ALONE.references[1],
    ],
)
