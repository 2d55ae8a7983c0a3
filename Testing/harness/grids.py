"""Small grids of every awkward kind, and organs to put on them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask


def _grid(direction: np.ndarray, shape: tuple[int, int, int]) -> Geometry:
    rows = tuple((float(r[0]), float(r[1]), float(r[2])) for r in direction)
    return Geometry(shape, (-31.5, 12.25, -640.0), (0.9, 1.1, 2.5), rows)


GRIDS: dict[str, Geometry] = {
    "axial": _grid(np.eye(3), (9, 11, 13)),
    # x runs back, y runs up, z runs left: a sagittal stack
    "sagittal": _grid(np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]), (9, 11, 13)),
    "oblique": _grid(Rotation.from_euler("xyz", [12, -20, 31], degrees=True).as_matrix(), (9, 11, 13)),
    "left-handed": _grid(np.diag([1.0, 1.0, -1.0]), (9, 11, 13)),
}


def organs(geometry: Geometry) -> list[Mask]:
    """Four masks: brainstem and right parotid apart, left parotid over both, an empty larynx."""
    stem = Mask("Brainstem", np.ones((2, 3, 4), bool), (1, 2, 3), geometry)
    corner = np.zeros((3, 3, 3), bool)
    corner[0, 0, 0] = corner[2, 2, 2] = corner[1, 0, 2] = True
    right = Mask("Parotid_R", corner, (6, 8, 10), geometry)
    left = Mask("Parotid_L", np.ones((6, 7, 8), bool), (1, 2, 3), geometry)
    return [stem, right, left, Mask("Larynx", np.zeros((2, 2, 2), bool), (0, 0, 0), geometry)]
