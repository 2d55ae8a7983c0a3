"""TwoStageSeg's engine: locate an organ, segment only the crop around it, place the mask, say where to look.

Read the package as the data flows: ``volume`` -> ``systems`` (locate) -> ``region`` -> ``grid`` (crop) ->
``systems`` (segment) -> ``mask`` (place) -> ``outputs``. ``pipeline`` is the only orchestration.

Arrays are ``(z, y, x)``; physical points are LPS millimetres ``(x, y, z)``.
Research software, not a medical device: every contour must be reviewed.
"""

__version__ = "0.1.0"
RESEARCH_NOTICE = "Research use only, not a medical device. Every contour must be reviewed."
