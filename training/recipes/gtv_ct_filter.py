"""gtv-ct-filter: the gross tumour volume of soft-tissue sarcomas on CT with the system ``slice-filter`` (papers/001).

The paper has lung and nasopharynx tumours in whole scans (StructSeg 2019). Here: 39 sarcomas of limbs, 25 of them to
train on. **The images were cropped to 5 cm around the tumour**, so that more than half of the slices show it (in the
paper one in six, or nine): finding slices is easier than in life, and the filter can save less. In plane the border of
such an image tells the tumour's box; random erasure (the paper has it too) takes that away in training, where every
side may lose up to 5 cm. It does not take it away in the test images, so no figure here holds for a whole scan.

The five validation cases have large tumours (399 to 740 ml, the test cases 35 to 752), which ``volume_ml`` allows for;
scores and thresholds rest on these five.

The field is 256 mm: the largest image has 246 mm, no tumour reaches further than 82 mm from the body's middle. Window
-150..200 HU, the paper's for nasopharynx. A thigh may lie either way round, so samples are flipped and mirrored.

What differs from the paper: a quarter of its widths (``PAPER_WIDTHS``, ``PAPER_WIDTH``), 128 x 128 pixels of 2 mm
instead of 512 x 512, batches of 32 and 16 instead of 128 and 64, 14 minutes of one core for both networks, one fold and
one network of each kind instead of a vote of five. A cycle of warm restarts is counted in steps; there are three.

``ALONE`` is the paper's ablation "SANet alone" (Table 2): the same networks, exported so that every slice is drawn:
``python -m training export --recipe gtv-ct-filter-off`` with the ``--run`` of this one.
"""

from __future__ import annotations

from dataclasses import replace

from ..augment import PoseRange
from ..methods.slice_filter.recipe import SliceFilterRecipe
from .common import Budget

RECIPE = SliceFilterRecipe(
    name="gtv-ct-filter",
    packed=True,
    organs=("GTV",),
    clip=(-150.0, 200.0),
    centre=25.0,
    scale=100.0,
    field_mm=256.0,
    locate_pixel_mm=2.0,
    segment_pixel_mm=2.0,
    slice_mm=3.27,
    locate_widths=(16, 32, 64, 128),
    segment_widths=(16, 32, 64, 128),
    segment_width=32,
    locate_batch=32,
    segment_batch=16,
    mirror=True,
    flip=0.5,
    erase=0.5,
    erase_mm=50.0,
    surroundings=False,  # these CTs are as the scanner made them
    poses=PoseRange(rotation_deg=8.0, scale=(0.8, 1.25), stretch=0.1, shift_mm=8.0),
    crop_mm=(60.0, 160.0, 160.0),
    volume_ml=(5.0, 3000.0),  # a tumour has any size: five validation cases cannot say which are plausible
    budgets=(
        Budget("locate", 1050, restarts=150, every=75),
        Budget("segment", 1750, restarts=250, every=125),
    ),
)

ALONE = replace(RECIPE, name="gtv-ct-filter-off", filtered=False)
