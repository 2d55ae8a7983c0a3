"""A first run without a patient, while nobody waits: the next one finds memory, code and kernels in place.

The first pass of a network through a process takes twice as long as the second: libraries are imported, the kernels
for its shapes are made, memory is fetched from the system.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import TwoStageSegError
from .geometry import Geometry
from .pipeline import Pipeline
from .region import Region
from .volume import Volume

SHAPE_ZYX, SPACING_XYZ_MM = (64, 112, 144), (3.0, 3.0, 3.0)
"""As wide as a planning CT and long enough for every crop, at a hundredth of its voxels."""

AIR, TISSUE = -1000, 40
SEED = 0


def rehearse(pipeline: Pipeline, cancelled: Callable[[], bool]) -> None:
    """Locate, then segment every organ around a click in the middle of a block of soft tissue.

    Parameters
    ----------
    cancelled : asked between organs; True ends the rehearsal.
    """
    volume = block(pipeline.model.manifest.input.modality)
    middle = volume.geometry.index_to_lps((np.asarray(SHAPE_ZYX) - 1) / 2)
    organs = pipeline.model.manifest.organ_names
    try:
        pipeline.locate(volume)
        pipeline.run(volume, regions={organ: Region.click(organ, middle) for organ in organs}, cancelled=cancelled)
    except TwoStageSegError:
        return  # cancelled; or the model wants another kind of image, which its user will bring


def block(modality: str) -> Volume:
    """Noisy tissue in air, as a volume of that modality."""
    voxels = np.full(SHAPE_ZYX, AIR, np.int16)
    inside = tuple(slice(n // 8, n - n // 8) for n in SHAPE_ZYX[1:])
    body = voxels[:, inside[0], inside[1]]
    body[:] = np.random.default_rng(SEED).normal(TISSUE, 20, body.shape).astype(np.int16)
    return Volume(voxels, Geometry(SHAPE_ZYX, (0.0, 0.0, 0.0), SPACING_XYZ_MM), modality)
