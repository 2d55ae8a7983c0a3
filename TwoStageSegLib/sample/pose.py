"""How a patient lies: turned, scaled, bent; the map from scanner millimetres to the anatomy frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .part import Chance
from .shapes import Array


@dataclass(frozen=True, eq=False)
class Pose:
    """Scanner mm -> anatomy mm: first bends that depend on one coordinate each, then a rotation and scale.

    Because every bend depends on one scanner coordinate, the map is a sum of three 1-D tables and costs two
    additions per voxel and axis.

    Parameters
    ----------
    matrix : 3x3, anatomy = matrix @ bent scanner position.
    neck_stretch : how much longer than usual the part below the skull is.
    flexion_mm : how far the chest lies behind (positive) or before its usual place, at 200 mm below the brainstem.
    lean_mm : the same to the patient's left.
    waves : rows (from axis, to axis, amplitude mm, wavelength mm, phase): small individual differences in shape.
    """

    matrix: NDArray[np.float64]
    neck_stretch: float
    flexion_mm: float
    lean_mm: float
    waves: tuple[tuple[int, int, float, float, float], ...]

    def to_anatomy(self, x_mm: NDArray, y_mm: NDArray, z_mm: NDArray) -> tuple[Array, Array, Array]:
        """Anatomy coordinates of a regular grid, each float32 ``(z, y, x)``, from its three 1-D scanner axes."""
        bent = [np.zeros((3, len(axis))) for axis in (x_mm, y_mm, z_mm)]  # per scanner axis: its part of x, y, z
        for i, axis in enumerate((x_mm, y_mm)):
            bent[i][i] = axis
        low = np.minimum(z_mm + 60, 0)  # the head itself is rigid
        bent[2][2] = z_mm - low + low / self.neck_stretch
        bent[2][1] = -self.flexion_mm * (low / 140) ** 2
        bent[2][0] = -self.lean_mm * (low / 140) ** 2
        for source, target, amplitude, wavelength, phase in self.waves:
            axis = (x_mm, y_mm, z_mm)[source]
            bent[source][target] += amplitude * np.sin(2 * np.pi * axis / wavelength + phase)
        tables = [(self.matrix @ b).astype(np.float32) for b in bent]
        x, y, z = (
            tables[2][i][:, None, None] + (tables[1][i][:, None] + tables[0][i][None, :])[None] for i in range(3)
        )
        return x, y, z


def draw_pose(c: Chance) -> Pose:
    """A random, plausible pose: a few degrees and per cent."""
    yaw, pitch, roll = np.deg2rad((c.near(0, 4), c.near(0, 4), c.near(0, 2.5)))
    about_z = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]])
    whole = c.near(1.0, 0.035)
    size = [whole * c.near(1.0, 0.02) for _ in range(3)]
    waves = tuple(
        (source, target, c.between(0.3, 1.6), c.between(90, 220), c.between(0, 2 * np.pi))
        for source in range(3)
        for target in range(3)
        if source != target
    )
    return Pose(
        np.diag(1 / np.array(size)) @ about_x @ about_y @ about_z,
        neck_stretch=c.between(0.9, 1.1),
        flexion_mm=c.near(0, 8),
        lean_mm=c.near(0, 5),
        waves=waves,
    )
