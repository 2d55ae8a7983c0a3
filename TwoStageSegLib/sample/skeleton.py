"""Bones of the synthetic patient other than the mandible, with the brain and the spinal canal that they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .organs import Landmarks
from .part import SIDES, Chance, Part
from .shapes import Block, Ellipsoid, Grown, Shape, Union, Wall, column, tube

BRAIN: Shape = Union((Ellipsoid((0, -13, 45), (67, 83, 58)), Ellipsoid((0, 26, -3), (52, 40, 33))), fillet_mm=30.0)

# rows of a Wall on the patient's left: x, y, bottom z, top z
CHEEK = ((62, -18, -13, -6), (65, -50, -14, -4), (50, -78, -18, -4))
COLLAR_BONE = ((18, -14, -222, -209), (70, -18, -214, -203), (120, 12, -208, -198), (160, 30, -206, -197))
SHOULDER_BLADE = ((150, 45, -300, -215), (115, 88, -300, -208), (75, 108, -300, -225))


def head_bones(c: Chance) -> list[Part]:
    """Skull base, skull shell, brain with its fluid, face bones with air cells, eyes."""
    bone = c.between(750, 1150)
    brain = c.near(24, 3)
    parts = [
        Part(Block((0, -24, -18), (15, 7, 17), 0.45), 0.5 * bone),  # clivus
        Part(Block((0, -64, -3), (46, 32, 7)), 0.25 * bone),  # skull base in front
        Part(Block((0, -74, 4), (11, 24, 12)), -500.0),  # ethmoid cells
    ]
    for _, sign in SIDES:
        parts += [
            Part(Ellipsoid((sign * 44, 2, -17), (20, 14, 12)), 0.8 * bone),  # petrous bone
            Part(Ellipsoid((sign * 54, 14, -28), (9, 12, 17)), 0.6 * bone),  # mastoid
            Part(Ellipsoid((sign * 54, 14, -26), (5, 7, 9)), c.between(-500, -100)),
        ]
    parts += [
        Part(Grown(BRAIN, c.between(6.0, 8.0)), bone),
        Part(Grown(BRAIN, 0.0), c.near(8, 2)),
        Part(Grown(BRAIN, -c.between(1.5, 3.0)), brain),
        Part(Ellipsoid((0, -3, 0), (24, 20, 20)), 6.0),  # cisterns around the brainstem
        Part(Ellipsoid((0, 33, -2), (46, 32, 26)), brain + 5),  # cerebellum
    ]
    for _, sign in SIDES:
        parts += [
            Part(Ellipsoid((sign * 11, -18, 52), (5, 24, 11), 0.2), 6.0),  # lateral ventricle
            Part(Ellipsoid((sign * 15, -8, 40), (9, 14, 9)), brain + 8),  # thalamus
        ]
    return parts + _face(c, bone)


def _face(c: Chance, bone: float) -> list[Part]:
    jaw = np.array([(44, -52), (38, -74), (24, -93), (0, -102)], float)
    upper = np.vstack([jaw * (-1, 1), jaw[-2::-1]])
    height = np.tile([-56.0, -33.0], (len(upper), 1))
    parts = [
        Part(Wall(np.hstack([upper, height]), 6.0), 0.55 * bone),  # upper jaw
        Part(Wall(np.hstack([upper * (0.97, 1), height * 0 + (-65.0, -55.0)]), 4.0), c.between(1300, 2000)),  # teeth
        Part(Block((0, -72, -36), (34, 26, 3)), 0.5 * bone),  # hard palate
        Part(Block((0, -100, 18), (34, 5, 14)), 0.7 * bone),  # brow
        Part(Ellipsoid((0, -100, 22), (20, 4, 9)), -900.0),  # frontal sinus
    ]
    for _, sign in SIDES:
        parts += [
            Part(Block((sign * 30, -72, -17), (17, 22, 17)), 0.5 * bone),
            Part(Ellipsoid((sign * 28, -72, -19), (13.5, 18.5, 13.5)), -950.0),  # maxillary sinus
            Part(Ellipsoid((sign * 32, -78, 7), (19, 24, 17)), 0.55 * bone),  # orbit
            Part(Ellipsoid((sign * 32, -82, 7), (16, 25, 14.5)), -85.0),
            Part(Ellipsoid((sign * 32, -90, 7), (11.5, 12, 11.5)), c.near(18, 3)),  # eye
            Part(Wall(_mirrored(CHEEK, sign), 2.5), bone),  # cheek bone
        ]
    return parts


def spine(c: Chance) -> list[Part]:
    """Vertebral bodies with discs, arches around the canal, spinous processes, and the fluid in the canal."""
    bone, height = c.between(450, 800), c.near(17.0, 0.6)
    parts: list[Part] = []
    z = -36.0
    while z > -300:
        y = Landmarks.cord_y(z)
        lean = float(np.arctan2(Landmarks.cord_y(z - 8) - Landmarks.cord_y(z + 8), 16.0))
        a = float(np.interp(z, (-230, -60), (18, 12)))
        parts += [
            Part(Block((0, y + 3, z), (20, 14, 0.42 * height), lean), 0.75 * bone),  # arch
            Part(Block((0, y - 20, z), (a, 9.5, 0.42 * height), lean), bone),
            Part(Block((0, y - 20, z), (a - 2.5, 7.0, 0.30 * height), lean), 0.45 * bone),
            Part(Block((0, y + 30, z - 6), (3.0, 17, 4.5), lean - 0.35), 0.8 * bone),  # spinous process
        ]
        if z < -165:
            for _, sign in SIDES:
                parts.append(Part(Block((sign * 30, y - 2, z), (16, 5, 4.5), lean), 0.7 * bone))  # transverse process
        disc = Block((0, y - 20, z - height / 2), (a - 1, 8.5, 0.14 * height), lean)
        parts.append(Part(disc, c.near(95, 10)))
        z -= height
        height *= 1.02
    canal = [(z, 0.0, Landmarks.cord_y(z), 11.0, 9.0) for z in np.linspace(-305, -28, 30)]
    return [*parts, Part(column(canal), c.near(8, 3))]


def shoulder_bones(c: Chance) -> list[Part]:
    """Collar bones, upper arms, shoulder blades, a rib cage."""
    bone, raised = c.between(450, 800), c.near(0, 8)
    parts: list[Part] = []
    for _, sign in SIDES:
        head = (sign * 172.0, 42.0, -222.0 + raised)
        collar, blade = _mirrored(COLLAR_BONE, sign), _mirrored(SHOULDER_BLADE, sign)
        collar[:, 2:] += raised
        shaft = tube([head, (sign * 182, 42, -255 + raised), (sign * 190, 40, -320)], 14)
        for shape in (Wall(collar, 5.0), Wall(blade, 3.5), Ellipsoid(head, (24, 23, 24)), shaft):
            parts += [Part(shape, bone), Part(Grown(shape, -3.0), 0.35 * bone)]
    for i in range(5):
        ring = Ellipsoid((0, 22, -232.0 - 19 * i), (92 + 8.0 * i, 80, 4.5), 0.45)
        parts.append(Part(ring, 0.8 * bone))
    return parts


def _mirrored(rows: Sequence[Sequence[float]], sign: float) -> NDArray[np.float64]:
    return np.array(rows, float) * (sign, 1, 1, 1)
