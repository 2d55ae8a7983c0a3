"""The seven organs of the synthetic patient, with median sizes and places of adults, and individual variation.

Millimetres in the anatomy frame (LPS, origin at the brainstem's centre). Attenuation differs by 20 to 60 HU from what
surrounds an organ (bone and air apart), so that neither a threshold nor the place alone gives the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .part import SIDES, Chance, Part
from .shapes import Column, Ellipsoid, Grown, Shape, Union, Wall, column

MEDULLA_END_Z = -31.0
SPINE_Z = (-300, -230, -200, -170, -140, -110, -80, -55, -31, -10, 60)
SPINE_Y = (96, 64, 50, 36, 25, 16, 11, 8, 5, 3, -8)
JAW = (  # x, y, bottom z, top z of the patient's left half, from the back of the ramus to the chin
    (51, -23, -76, -34),
    (50, -35, -82, -36),
    (47, -47, -87, -33),
    (43, -59, -91, -62),
    (36, -79, -96, -68),
    (21, -99, -101, -72),
    (7, -107, -104, -74),
    (0, -108, -104, -74),
)


@dataclass(frozen=True)
class Landmarks:
    """What other parts of the patient align to: the course of the spinal cord, the larynx, the jaw."""

    cord: Column
    larynx_centre: tuple[float, float, float]
    jaw_path: np.ndarray

    @staticmethod
    def cord_y(z: float) -> float:
        """Where the cord's centre lies front to back at a height, mm."""
        return float(np.interp(z, SPINE_Z, SPINE_Y))


def draw_landmarks(c: Chance) -> Landmarks:
    end = c.near(-216, 8)
    width, depth = 7.3 * c.size(), 5.9 * c.size()
    rows = [(z, 0.0, Landmarks.cord_y(z), width, depth) for z in np.linspace(MEDULLA_END_Z, end, 24)]
    larynx = (c.near(0, 1.5), c.near(-35, 3), c.near(-122, 5))
    path = np.array([*[(-x, y, a, b) for x, y, a, b in JAW[:-1]], *JAW[::-1]], float)
    path[:, 0] *= c.size(0.04)
    path[:, 1] = (path[:, 1] + 23) * c.size(0.05) - 23 + c.near(0, 2)
    drop = c.near(0, 4) * np.clip((-path[:, 1] - 30) / 80, 0, 1)  # the chin sinks as the mouth opens
    path[:, 2:] -= drop[:, None]
    path[:, 2] -= c.near(0, 2)
    return Landmarks(column(rows), larynx, path)


def brainstem(c: Chance) -> list[Part]:
    """Midbrain, pons with its bulge to the front, medulla: about 27 ml."""
    w, d = c.size(0.06), c.size(0.06)
    dx, dy = c.near(0, 1.0), c.near(0, 1.5)
    rows = [
        (MEDULLA_END_Z, 0.3 * dx, 5.0, 7.8 * w, 6.6 * d),
        (-20, dx, 3.0 + dy, 9.0 * w, 7.6 * d),
        (-10, dx, 0.5 + dy, 14.0 * w, 11.0 * d),
        (2, dx, -1.5 + dy, 17.5 * w, 13.8 * d),
        (12, dx, -2.5 + dy, 16.0 * w, 12.0 * d),
        (20, dx, -3.0 + dy, 15.5 * w, 10.5 * d),
        (c.near(28, 2.5), dx, -4.0 + dy, 16.0 * w, 9.5 * d),
    ]
    return [Part(column(rows, 6), c.near(52, 5), "Brainstem")]


def spinal_cord(c: Chance, marks: Landmarks) -> list[Part]:
    return [Part(marks.cord, c.near(46, 5), "SpinalCord")]


def parotids(c: Chance) -> list[Part]:
    """A flat superficial lobe over the jaw's ramus and a deep lobe behind it: about 26 ml each side."""
    attenuation, shift = c.near(-8, 9), c.near(0, 4)
    parts = []
    for side, sign in SIDES:
        s = c.size(0.06)
        x, y, z = 59 + c.near(0, 1.5), -22 + shift / 2 + c.near(0, 2), -46 + shift + c.near(0, 3)
        lobes = (
            Ellipsoid((sign * x, y - 3, z), (10.5 * s, 21 * s * c.size(0.05), 25 * s * c.size(0.05)), c.near(0, 0.15)),
            Ellipsoid((sign * (x - 8), y + 7, z - 1), (14.5 * s, 10.5 * s, 18 * s)),
            Ellipsoid((sign * (x - 3), y + 3, z - 15 * s), (9 * s, 10 * s, 17 * s)),
        )
        parts.append(Part(Union(lobes), attenuation + c.near(0, 2), f"Parotid_{side}"))
    return parts


def mandible(c: Chance, marks: Landmarks) -> list[Part]:
    """A compact shell with marrow inside; condyles on top: about 60 ml."""
    half = 4.0 * c.size(0.06)
    (rx, ry), (lx, ly) = marks.jaw_path[0, :2], marks.jaw_path[-1, :2]
    shape: Shape = Union(
        (
            Wall(marks.jaw_path, half),
            Ellipsoid((rx, ry - 1, -31), (8.0, 5.5, 10.0)),
            Ellipsoid((lx, ly - 1, -31), (8.0, 5.5, 10.0)),
        )
    )
    return [
        Part(shape, c.between(850, 1300), "Bone_Mandible"),
        Part(Grown(shape, -2.4), c.between(250, 500), "Bone_Mandible"),
    ]


def larynx(c: Chance, marks: Landmarks) -> list[Part]:
    """Wall, thyroid cartilage, airway inside (the contour holds all three): about 24 ml."""
    x, y, z = marks.larynx_centre
    s, half = 0.92 * c.size(0.05), 16.5 * c.size(0.07)
    rows = [
        (z - half, x, y + 1, 12.5 * s, 12.0 * s),
        (z - half / 2, x, y, 15.0 * s, 15.0 * s),
        (z, x, y, 17.0 * s, 16.5 * s),
        (z + half / 2, x, y, 17.0 * s, 16.0 * s),
        (z + half, x, y - 1, 15.5 * s, 14.0 * s),
    ]
    outer = column(rows, 5)
    cartilage = [
        Wall(np.array([(x - 13 * s, y + 4, z - 8, z + 10), (x, y - 13 * s, z - 9, z + 5)]), 1.6),
        Wall(np.array([(x, y - 13 * s, z - 9, z + 5), (x + 13 * s, y + 4, z - 8, z + 10)]), 1.6),
    ]
    glottis = c.between(1.5, 4.0)
    lumen = [
        (z - half, x, y + 1, 7.5, 8.5),
        (z - 4, x, y + 1, 6.0, 8.5),
        (z, x, y, glottis, 7.5),
        (z + 5, x, y + 1, 5.0, 7.0),
        (z + half, x, y + 3, 9.0, 6.0),
    ]
    return [
        Part(outer, c.near(66, 6), "Larynx"),
        *[Part(w, c.between(120, 350)) for w in cartilage],
        Part(column(lumen, 3), -990.0),
    ]


def esophagus(c: Chance, marks: Landmarks) -> list[Part]:
    """A flat tube between windpipe and spine from the larynx down, now and then with a bubble of air: about 12 ml."""
    top, length = marks.larynx_centre[2] - c.near(24, 3), c.near(72, 6)
    a, b, bend = 8.8 * c.size(0.08), 6.3 * c.size(0.08), c.near(3.5, 2.5)
    rows = []
    for t in np.linspace(0, 1, 10):
        z = top - t * length
        swell = 1 + 0.12 * np.sin(5 * t + bend)
        rows.append((z, bend * np.sin(2.2 * t), esophagus_y(z), a * swell, b * (0.75 + 0.3 * t)))
    parts = [Part(column(rows), c.near(58, 5), "Esophagus")]
    if c.flip(0.4):
        t = c.between(0.25, 0.8)
        z = top - t * length
        bubble = Ellipsoid((bend * np.sin(2.2 * t), esophagus_y(z) - 1, z), (2.8, 2.0, c.between(3, 10)))
        parts.append(Part(bubble, -700.0))
    return parts


def esophagus_y(z: float) -> float:
    """The tube lies before the spine: cord, canal and vertebral body take 36 mm."""
    return Landmarks.cord_y(z) - 37.0
