"""The signals by name, and what a person reads when one of them made a slice suspicious: short, for a narrow column."""

from __future__ import annotations

SIGNALS: dict[str, tuple[str, str]] = {
    "softness": ("undecided outline", ""),
    "indecision": ("undecided outline", ""),
    "expected_error": ("unsure outline", ""),
    "disagreement": ("outline changes when the crop moves", ""),
    "area": ("large cross-section", "small cross-section"),
    "thinness": ("thin part", ""),
    "area_step": ("area jumps", ""),
    "sideways": ("shifted sideways", ""),
    "end": ("near the organ's end", ""),
    "middle": ("near the organ's end", ""),
    "beyond": ("organ may go on here", ""),
    "pieces": ("in several pieces", ""),
    "density": ("unusual density", ""),
    "location": ("location uncertain", ""),
    "volume": ("unusual volume", ""),
}
"""Name: words if the signal is higher than usual, words if it is lower ("" if that is no reason)."""

GAP = "gap: the organ is above and below"
EDGE = "touches the edge of the crop: enlarge the box"
OUTSIDE_VOLUME = "volume {0:.1f} ml, in the training data {1:.1f} to {2:.1f} ml"
WRONG_SIDE = "lies on the other side than its name says"
UNSURE = "several weak signs together"
