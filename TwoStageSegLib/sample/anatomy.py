"""The whole synthetic patient as a list of parts in painting order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import organs, skeleton, tissue
from .part import Chance, Part
from .shapes import Shape

ORGANS = ("Brainstem", "SpinalCord", "Parotid_R", "Parotid_L", "Esophagus", "Larynx", "Bone_Mandible")


@dataclass(frozen=True)
class Anatomy:
    """A patient: the body's outline and everything in it, later parts over earlier ones."""

    outline: Shape
    parts: tuple[Part, ...]


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """A random patient. Depends on the generator's state only, never on a voxel grid."""
    c = Chance(rng)
    outline = tissue.body_outline(c)
    marks = organs.draw_landmarks(c)
    parts = [
        *tissue.body(outline, c),
        *skeleton.shoulder_bones(c),
        *tissue.soft_tissue(c, marks),
        *skeleton.head_bones(c),
        *skeleton.spine(c),
        *tissue.air(c, marks),
        *organs.brainstem(c),
        *organs.spinal_cord(c, marks),
        *organs.parotids(c),
        *organs.mandible(c, marks),
        *organs.larynx(c, marks),
        *organs.esophagus(c, marks),
    ]
    return Anatomy(outline, tuple(parts))
