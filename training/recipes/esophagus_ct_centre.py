"""esophagus-ct-centre: the esophagus in head-and-neck CT with ``slice-centre`` (papers/000). The whole method.

A CenterNet finds the organ's centre in every slice; a 3D U-Net draws chunks of slices around those; the centroids of
its mask are the centres around which a 2D U-Net draws each slice. ``COARSE`` leaves the 3D network out, ``CHUNK`` the
2D one: the paper's three ways, from one run::

    python -m training train --recipe esophagus-ct-centre --run RUN --to BUNDLE
    python -m training train --recipe esophagus-ct-centre-coarse --run RUN --to BUNDLE-coarse
    python -m training train --recipe esophagus-ct-centre-chunk --run RUN --to BUNDLE-chunk

The last trains nothing new, the second the coarse 2D network, which begins with the weights of the fine one.

Scaled to the data and to one core. OpenKBP has pixels of 4 to 5 mm (the paper: 0.97 mm) and an esophagus of about 8
voxels per slice, so the paper's field of 192 pixels of 0.97 mm is 128 pixels of 1.5 mm here, its crop of 112 pixels 48
of 2 mm; widths are a quarter of ResNet18's and of the U-Nets'. A cell of the heatmap is 6 mm (the paper: 3.9 mm).

Other than in the paper:

- values are clipped as there, then scaled by fixed numbers, not by each case's mean and variance;
- the heatmap's Gaussian has a radius of one cell at least (the rule alone gives 0 for an organ of 3 x 2 cells, and a
  peak of one cell cannot be refined by its neighbours);
- segmenters are trained around the contour's centroids moved by the errors that the trained locator makes on
  validation cases, not around centres that it predicts in cases it knows by heart (``slice_centre.centres``);
- half of the locator's slices show the organ; slices beyond the end of a contour that is cut off (by the scan, in short
  ones) count as neither; the contours' ends differ between the clinics that drew them, which bounds every slice F1;
- a tenth of the 2D network's slices lie just beyond the ends; crops are turned (sd 5 degrees), scaled (0.9 to 1.1) and
  mirrored in plane, with couch, head-rest and mask around the body, and noise up to 15 HU;
- the focal loss counts as much as Dice throughout (``alpha``; the paper adapts it, which ``alpha_rule`` does).
"""

from __future__ import annotations

from dataclasses import replace

from ..augment import IntensityRange, PoseRange
from ..methods.slice_centre.recipe import SliceCentreRecipe
from ..sources import OPENKBP_ALONE
from .common import Budget

RECIPE = SliceCentreRecipe(
    name="esophagus-ct-centre",
    packed=True,
    organs=("Esophagus",),
    clip=(-160.0, 240.0),
    centre=0.0,
    scale=100.0,
    poses=PoseRange(rotation_deg=5.0, scale=(0.9, 1.1), stretch=0.0),
    intensities=IntensityRange(offset=10.0, noise=15.0),
    locate_spacing_mm=1.5,
    field_mm=192.0,
    locate_widths=(16, 32, 64, 128),
    locate_up=(48, 48, 48),
    locate_hidden=32,
    locate_batch=16,
    crop_mm=96.0,
    slice_spacing_mm=2.0,
    slice_widths=(16, 32, 64, 128),
    slice_batch=16,
    chunk_spacing_mm=2.0,
    chunk_widths=(12, 24, 48, 96),
    chunk_batch=2,
    budgets=(
        Budget("locate", 2400, 1000, every=200),
        Budget("chunk", 1400, 700, every=140),
        Budget("segment", 3200, 1400, every=200),
    ),
)

COARSE = replace(
    RECIPE,
    name="esophagus-ct-centre-coarse",
    drawer="coarse",
    budgets=(RECIPE.budgets[0], Budget("segment-coarse", 700, 500, every=100, start="segment")),
)

CHUNK = replace(RECIPE, name="esophagus-ct-centre-chunk", drawer="chunk", budgets=RECIPE.budgets[:2])

SOURCE = replace(
    OPENKBP_ALONE,
    title="Head and neck CT, esophagus slice by slice",
    intended_use=(
        "Research. Proposes contours of the upper esophagus on head-and-neck CT (adults, planning position) for review "
        "and correction by a qualified person."
    ),
    references=["doi:10.1186/s13014-024-02448-z (Li et al., esophagus by object centres)", OPENKBP_ALONE.references[1]],
)
