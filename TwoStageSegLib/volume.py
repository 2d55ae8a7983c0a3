"""A scan in memory: voxels and their geometry, checked once, viewed in standard orientation without a copy."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import InputRefused
from .geometry import AxisMap, Geometry, standardise


@dataclass(frozen=True)
class Standard:
    """A volume seen in standard orientation: ``voxels`` is a view, ``geometry`` its grid."""

    voxels: NDArray
    geometry: Geometry
    axis_map: AxisMap


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D scalar image.

    Parameters
    ----------
    voxels : ``(z, y, x)``, HU for CT; any real dtype, never copied or resampled as a whole.
    geometry : the input's own grid.
    modality : DICOM modality if the source says one ("CT", "MR", ...), else "".
    notices : what a reader had to say about the input without refusing it.
    """

    voxels: NDArray
    geometry: Geometry
    modality: str = ""
    notices: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3:
            raise InputRefused("E_DIM", f"The image has {self.voxels.ndim} dimensions; a 3D volume is needed.")
        if tuple(self.voxels.shape) != tuple(self.geometry.shape_zyx):
            raise InputRefused(
                "E_GEOMETRY", f"The voxels {self.voxels.shape} do not fit the grid {self.geometry.shape_zyx}."
            )

    @cached_property
    def standard(self) -> Standard:
        axis_map, geometry = standardise(self.geometry)
        return Standard(axis_map.to_standard(self.voxels), geometry, axis_map)

    @property
    def size_text(self) -> str:
        """``512 x 512 x 148 · 0.98 x 0.98 x 2.5 mm``: the line a person checks the scan by."""
        z, y, x = self.geometry.shape_zyx
        spacing = " x ".join(f"{s:.4g}" for s in self.geometry.spacing_xyz_mm)
        return f"{x} x {y} x {z} · {spacing} mm"


def outside_value(voxels: NDArray) -> float:
    """What lies beyond the image: air (-1024) for CT, which holds values of -500 and less; else the smallest value."""
    smallest = float(np.min(voxels)) if voxels.size else 0.0  # all voxels: 5 ms for 512 x 512 x 150 int16
    return -1024.0 if smallest <= -500 else smallest
