"""The room "volume in": image files and DICOM folders become a checked :class:`~TwoStageSegLib.volume.Volume`.

Files are checked before a reader sees them that would hide damage: ITK gives arbitrary voxels for a truncated NIfTI,
0 HU for its NaNs, 1 mm for a spacing that is not a number, and a straight grid for a tilted or incomplete series.
"""

from .files import read_volume
from .plausible import check_ct

__all__ = ["check_ct", "read_volume"]
