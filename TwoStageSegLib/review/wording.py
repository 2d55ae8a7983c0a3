"""The signals by name, and what a person reads when one of them made a slice suspicious."""

from __future__ import annotations

SIGNALS: dict[str, tuple[str, str]] = {
    "softness": ("the network is undecided here", ""),
    "indecision": ("the network is undecided here", ""),
    "expected_error": ("the network is unsure of this outline", ""),
    "disagreement": ("the outline changes when the crop is moved", ""),
    "area": ("large cross-section for this organ", "small cross-section for this organ"),
    "thinness": ("small against the organ's largest slice", ""),
    "area_step": ("the area jumps between slices", ""),
    "sideways": ("shifted sideways against its neighbours", ""),
    "end": ("near the organ's end", ""),
    "middle": ("near the organ's end", ""),
    "beyond": ("the organ may go on here", ""),
    "pieces": ("in several pieces", ""),
    "density": ("unusual density for this organ", ""),
    "location": ("the location was uncertain", ""),
    "volume": ("unusual volume for this organ", ""),
}
"""Name: words if the signal is higher than usual, words if it is lower ("" if that is no reason)."""

GAP = "gap: the organ is above and below"
EDGE = "touches the edge of the crop: enlarge the box"
OUTSIDE_VOLUME = "volume {0:.1f} ml, in the training data {1:.1f} to {2:.1f} ml"
WRONG_SIDE = "lies on the other side than its name says"
UNSURE = "several weak signs together"
