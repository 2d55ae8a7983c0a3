"""How large a crop a region asks for, and around which point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry
from ..manifest import OrganSpec
from ..region import Region, Source

CONTEXT_MM = 6.0  # what an organ needs around it inside its crop


def crop_around(region: Region, organ: OrganSpec, geometry: Geometry) -> tuple[NDArray, NDArray]:
    """Centre (LPS mm) and size (z, y, x mm along the standard axes of ``geometry``) of a region's crop.

    A segmenter works best in crops of the size it was trained on with the organ in the middle. So the crop grows
    beyond ``organ.crop_mm`` only along the axes on which the organ would not fit, and an automatic box, which is
    padded by the organ's margins, is centred without them.
    """
    smallest = np.asarray(organ.crop_mm)
    centre = np.asarray(region.centre_lps, float)
    if region.size_mm is None:
        return centre, smallest
    index = geometry.lps_to_index(region.corners_lps())
    first, last = index.min(0), index.max(0)
    if region.source == Source.BOX:  # of what is drawn beyond the scan only the part inside counts
        first, last = (np.clip(end, -0.5, np.asarray(geometry.shape_zyx) - 0.5) for end in (first, last))
        centre = geometry.index_to_lps((first + last) / 2)
    padded = (last - first) * geometry.spacing_zyx_mm
    if region.source != Source.AUTO:
        return centre, np.maximum(smallest, padded)
    low, high = np.asarray(organ.margin_mm)[[4, 2, 0]], np.asarray(organ.margin_mm)[[5, 3, 1]]
    fits = padded - low - high + 2 * CONTEXT_MM <= smallest
    offset = np.where(fits, (low - high) / 2, 0.0)
    middle = geometry.lps_to_index(centre) + offset / geometry.spacing_zyx_mm
    return geometry.index_to_lps(middle), np.where(fits, smallest, np.maximum(smallest, padded))


def multiples_of(voxels: NDArray, multiple: int) -> NDArray[np.int64]:
    """Voxel counts rounded up to multiples; a fiftieth of a step too much does not count."""
    return (np.ceil(voxels / multiple - 0.02) * multiple).astype(np.int64)
