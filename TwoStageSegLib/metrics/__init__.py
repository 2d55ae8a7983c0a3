"""How far two masks agree: one definition of each figure, in millimetres, on the cropped union of the masks.

Every function takes ``(mask, reference)`` in this order: what is judged first, what it is judged by second.

An empty mask never gives a NaN:

=========================  ==========  ======================  ===========================
figure                     both empty  only the mask is empty  only the reference is empty
=========================  ==========  ======================  ===========================
Dice, Jaccard              1           0                       0
surface Dice               1           0                       0
HD95, mean distance        0           infinite                infinite
volume ratio               1           0                       infinite
added path length          0           all of the reference    0
=========================  ==========  ======================  ===========================

``compare`` replaces an infinite distance by the diagonal of the scan, so that a mean over cases pays for what was
missed, and says in ``outcome`` that it did.
"""

from .agreement import Agreement, Outcome, compare
from .crop import cropped, together
from .overlap import dice, jaccard, volume_ratio
from .path import PathLength, added_path_length
from .profile import resampled
from .slices import SliceAgreement, SliceCounts, SliceKind, counted, slice_agreements
from .surface import HD95_DEFINITION, Distances, hd95, hd95_mean, mean_surface_distance, surface_distances
from .surfels import surface_dice
from .tolerances import tolerance_mm

__all__ = [
    "HD95_DEFINITION",
    "Agreement",
    "Distances",
    "Outcome",
    "PathLength",
    "SliceAgreement",
    "SliceCounts",
    "SliceKind",
    "added_path_length",
    "compare",
    "counted",
    "cropped",
    "dice",
    "hd95",
    "hd95_mean",
    "jaccard",
    "mean_surface_distance",
    "resampled",
    "slice_agreements",
    "surface_dice",
    "surface_distances",
    "together",
    "tolerance_mm",
    "volume_ratio",
]
