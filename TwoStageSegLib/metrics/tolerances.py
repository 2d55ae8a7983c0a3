"""How far a surface may lie off before surface Dice counts it as an error, mm per organ.

Nikolov et al. (arXiv 1809.04430) take the distance between two human readers that 95 % of the surface does not exceed.
The table is that distance, measured here on the masks which they published (two readers, 35 head-and-neck CTs of about
1 x 1 x 2.5 mm; left and right together, weighted by area, rounded to 0.1 mm). A grid coarser than its tolerance leaves
only distances of 0 and of whole voxels: there the figure says how much of the surface is *exactly* right.
"""

from __future__ import annotations

READERS_MM = {
    "Bone_Mandible": 1.0,
    "Brain": 1.2,
    "Brainstem": 2.5,
    "Cochlea": 2.5,
    "Eye": 1.4,
    "Glnd_Lacrimal": 2.7,
    "Glnd_Submand": 2.5,
    "Lens": 1.0,
    "Lung": 1.0,
    "OpticNrv": 2.5,
    "Parotid": 3.4,
    "SpinalCanal": 1.4,
    "SpinalCord": 1.8,
}
SMALL_MM = 1.0
"""Organs of a few millimetres that were not measured: a convention, not a measurement."""

OTHERS_MM = 2.0
"""Every other organ that was not measured: a convention, not a measurement."""

_SMALL = ("Hippocampus", "OpticChiasm", "Pituitary")


def tolerance_mm(organ: str) -> float:
    """Tolerance of an organ by its TG-263 name, side or not (``Parotid_L``, ``Parotid``)."""
    name = organ.removesuffix("_L").removesuffix("_R")
    return READERS_MM.get(name, SMALL_MM if name in _SMALL else OTHERS_MM)
