"""Skin, fat, muscle, vessels, glands and air of the synthetic patient."""

from __future__ import annotations

import numpy as np

from .organs import Landmarks, esophagus_y
from .part import SIDES, SKIN_MM, Chance, Part
from .shapes import Ellipsoid, Grown, Shape, Union, Wall, column, tube
from .skeleton import BRAIN


def body_outline(c: Chance) -> Shape:
    """Scalp, face, nose, ears, neck and shoulders as one solid."""
    stout, broad = c.size(0.05), c.size(0.05)
    face = [
        (30, 0, -12, 70, 90),
        (0, 0, -24, 73, 88),
        (-25, 0, -27, 74, 86),
        (-50, 0, -34, 73 * stout, 83),
        (-70, 0, -44, 67 * stout, 75),
        (-88, 0, -60, 55 * stout, 59),
        (-102, 0, -74, 42 * stout, 44),
        (-113, 0, -88, 28 * stout, 28),
    ]
    neck = [
        (-20, 0, 24, 58, 54),
        (-70, 0, 12, 62 * stout, 58),
        (-105, 0, 5, 60 * stout, 64 * stout),
        (-135, 0, 6, 61 * stout, 66 * stout),
        (-160, 0, 16, 72 * stout, 70 * stout),
        (-180, 0, 22, 96 * stout, 74 * stout),
        (-230, 0, 32, 120, 82 * stout),
        (-320, 0, 32, 135, 100 * stout),
    ]
    shoulders = [
        (-150, 0, 46, 44, 20),
        (-168, 0, 46, 86 * broad, 34),
        (-185, 0, 44, 138 * broad, 46),
        (-205, 0, 40, 190 * broad, 62),
        (-235, 0, 38, 212 * broad, 78 * stout),
        (-320, 0, 34, 218 * broad, 92 * stout),
    ]
    extras: list[Shape] = [Ellipsoid((0, -112, -18), (11, 14, 17), 0.3), Grown(BRAIN, c.between(12.5, 15.0))]
    for _, sign in SIDES:
        extras.append(Ellipsoid((sign * 77, 6, -10), (7, 13, 23), -0.2))  # ear
    return Union((column(face, 14), column(neck, 20), column(shoulders, 16), *extras), fillet_mm=14.0)


def body(outline: Shape, c: Chance) -> list[Part]:
    return [
        Part(outline, c.near(5, 8)),
        Part(Grown(outline, -SKIN_MM), c.near(-100, 6)),
        Part(Grown(outline, -c.between(6.0, 11.0)), c.near(52, 4)),
    ]


def soft_tissue(c: Chance, marks: Landmarks) -> list[Part]:
    """Fat planes first, then the muscles, vessels and glands that lie in them."""
    x, y, z = marks.larynx_centre
    fat, muscle, blood = c.near(-88, 6), c.near(52, 4), c.between(48, 150)
    mediastinum = [(h, 0.0, esophagus_y(h) - 6, 34.0, 20.0) for h in np.linspace(z - 20, -300, 10)]
    parts = [
        Part(column([(z - 26, x, y + 2, 25, 20), (z, x, y + 2, 29, 20), (z + 24, x, y - 2, 27, 20)]), c.near(14, 4)),
        Part(column(mediastinum), c.near(10, 4)),
        Part(Ellipsoid((0, -66, -84), (30, 40, 24)), muscle + 8),  # tongue and floor of mouth
        Part(Ellipsoid((0, -72, -60), (22, 22, 3.0)), c.between(-900, 20)),  # mouth: air or closed
    ]
    for _, sign in SIDES:
        parts += _side(c, sign, z, fat, muscle, blood)
    return parts


def _side(c: Chance, sign: float, larynx_z: float, fat: float, muscle: float, blood: float) -> list[Part]:
    s = sign
    back = [(s * 24, 48, -45), (s * 26, 60, -100), (s * 30, 78, -160), (s * 34, 105, -240)]
    neck_plane = [(s * 54, -8, -55), (s * 46, -6, -110), (s * 52, 4, -170), (s * 70, 15, -225)]
    sling = [(s * 52, 14, -36), (s * 43, 0, -90), (s * 32, -19, -150), (s * 19, -27, -205)]
    vein = [(s * 36, -8, -40), (s * 30, -14, -100), (s * 28, -10, -150), (s * 30, -8, -210), (s * 30, 0, -300)]
    artery = [(s * 30, -12, -40), (s * 26, -16, -100), (s * 22, -16, -150), (s * 18, -8, -210), (s * 14, 0, -300)]
    gap = np.array([(s * 42, 38, -240, -60), (s * 22, 46, -240, -60), (s * 4, 44, -240, -60)], float)
    rim = np.array([(s * 60, 20, -240, -90), (s * 52, 48, -240, -80), (s * 30, 66, -240, -70)], float)
    return [
        Part(Ellipsoid((s * 56, -22, -46), (19, 30, 32)), c.near(-62, 6)),  # fat bed of the parotid
        Part(Ellipsoid((s * 52, -62, -40), (12, 20, 20)), fat),  # cheek
        Part(column([(h, x, y, 9.0, 19.0) for x, y, h in neck_plane]), fat),
        Part(Wall(gap, 1.5), fat),
        Part(Wall(rim, 1.8), fat),
        Part(Ellipsoid((s * 92, 4, -212), (42, 24, 13), 0.2), fat),  # above the collar bone
        Part(Ellipsoid((s * 118, 52, -236), (30, 22, 20)), fat),  # towards the armpit
        Part(tube(back, c.near(9, 1)), muscle + 6),
        Part(Ellipsoid((s * 62, -48, -58), (6.5, 15, 30)), muscle),  # masseter
        Part(Ellipsoid((s * 34, -42, -46), (9, 15, 20)), muscle),  # pterygoid
        Part(tube(sling, c.near(9.5, 1)), muscle + 4),  # sternocleidomastoid
        Part(tube(vein, c.near(6.0, 1.2)), blood),
        Part(tube(artery, 3.8), blood + 12),
        Part(Ellipsoid((s * 36, -62, -95 + c.near(0, 3)), (9.5, 14, 12)), c.near(25, 8)),  # submandibular gland
        Part(Ellipsoid((s * 19, -24, larynx_z - 36), (7, 10, 18)), c.near(105, 12)),  # thyroid
    ]


def air(c: Chance, marks: Landmarks) -> list[Part]:
    """Nose, throat down to the larynx, windpipe, tops of the lungs, hyoid bone at the tongue's root."""
    x, y, z = marks.larynx_centre
    w = c.size(0.15)
    throat = [
        (-30, 0, -38, 9 * w, 8),
        (-55, 0, -34, 11 * w, 7),
        (-80, 0, -32, 12 * w, 7),
        (z + 28, x, y + 8, 13 * w, 7),
        (z + 12, x, y + 4, 9, 6),
    ]
    windpipe = [(z - 14, x, y + 1, 8.0, 8.5)]
    windpipe += [(h, x * 0.5, esophagus_y(h) - 16.5, 8.5 * w, 8.0) for h in np.linspace(z - 40, -320, 8)]
    hyoid = np.array([(-19, y + 2), (-15, y - 13), (0, y - 20), (15, y - 13), (19, y + 2)])
    height = np.tile([z + 22.0, z + 29.0], (5, 1))
    parts = [
        Part(Wall(np.hstack([hyoid, height]), 2.2), c.between(300, 600)),
        Part(Ellipsoid((0, -78, -16), (12, 30, 17)), -900.0),
        Part(Ellipsoid((0, -78, -16), (1.3, 28, 16)), 60.0),  # septum
        Part(column(throat), -995.0),
        Part(column(windpipe), -995.0),
    ]
    for _, sign in SIDES:
        parts.append(Part(Ellipsoid((sign * 9, -74, -22), (3, 22, 6)), 45.0))  # turbinate
        lung = [
            (-214, sign * 42, 42, 4, 4),
            (-225, sign * 46, 40, 24, 26),
            (-245, sign * 52, 36, 34, 40),
            (-320, sign * 60, 32, 44, 62),
        ]
        parts.insert(0, Part(column(lung, 10), c.between(-880, -800)))
    return parts
