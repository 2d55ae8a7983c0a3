"""MRML in and out: the one place that knows Slicer's scene, RAS and parent transforms. No Qt.

Works on desktop Slicer and on the slicer-core package alike. A scan becomes a :class:`~TwoStageSegLib.volume.Volume`
(``volumes``), a mask a segment (``segments``), a drawn box or a click a :class:`~TwoStageSegLib.region.Region`
(``regions``); ``undo`` takes a change back; ``frames`` is the only file that turns RAS into LPS.
"""

from .regions import move_point, move_roi, point_to_region, region_to_point, region_to_roi, roi_to_region
from .segments import Existing, mask_from_segment, put_mask
from .source import check_source
from .undo import UndoStack
from .views import centre_views
from .volumes import node_from_volume, volume_from_node

__all__ = [
    "Existing",
    "UndoStack",
    "centre_views",
    "check_source",
    "mask_from_segment",
    "move_point",
    "move_roi",
    "node_from_volume",
    "point_to_region",
    "put_mask",
    "region_to_point",
    "region_to_roi",
    "roi_to_region",
    "volume_from_node",
]
