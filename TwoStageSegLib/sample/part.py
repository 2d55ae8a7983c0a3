"""Part: one thing that is painted into the synthetic patient, and the random helpers its makers share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shapes import Shape

SKIN_MM = 2.0
SIDES = (("R", -1.0), ("L", 1.0))
"""Patient's right has the smaller x in LPS."""


@dataclass(frozen=True)
class Part:
    """A solid with its attenuation. Later parts are painted over earlier ones.

    Parameters
    ----------
    shape : where.
    hu : attenuation.
    organ : TG-263 name if the solid belongs to an organ's reference mask, else "".
    """

    shape: Shape
    hu: float
    organ: str = ""


class Chance:
    """The patient's dice: named so that the anatomy reads like anatomy."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def near(self, value: float, sd: float) -> float:
        """``value`` with normal scatter, cut at two standard deviations."""
        return float(value + sd * np.clip(self.rng.normal(), -2, 2))

    def size(self, fraction: float = 0.07) -> float:
        """A factor around 1."""
        return float(np.exp(fraction * np.clip(self.rng.normal(), -2, 2)))

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def flip(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)
