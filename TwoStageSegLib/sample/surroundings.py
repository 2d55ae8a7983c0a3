"""What a planning CT shows besides the patient: couch, head-rest, mask, the round field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .part import Chance
from .shapes import Array

FIELD_OF_VIEW_MM = 500.0
OUTSIDE_FIELD_HU = -1024.0


@dataclass(frozen=True)
class Surroundings:
    """Objects in scanner millimetres (x left, y back, z up); they do not turn with the patient.

    Parameters
    ----------
    couch_y_mm : top of the couch. couch_half_mm, couch_depth_mm, couch_wall_hu : its half width, thickness, skin.
    rest_half_mm : half width of the head-rest. rest_below_z_mm : lower end of the head-rest.
    rest_hollow : y of its upper face in the middle and how much it rises per squared mm to the sides.
    mask_gap_mm, mask_mm : distance of the mask from the skin and its thickness; 0 thickness for no mask.
    mask_below_z_mm : lower end of the mask, anatomy frame.
    """

    couch_y_mm: float
    couch_half_mm: float
    couch_depth_mm: float
    couch_wall_hu: float
    rest_half_mm: float
    rest_below_z_mm: float
    rest_hollow: tuple[float, float]
    mask_gap_mm: float
    mask_mm: float
    mask_below_z_mm: float

    def paint(self, hu: Array, x_mm: NDArray, y_mm: NDArray, z_mm: NDArray, soft_mm: float) -> None:
        """Paint couch and head-rest into air, in place. ``soft_mm`` is the width of a border (partial volume)."""
        x, y, z = (a.astype(np.float32) for a in (x_mm, y_mm, z_mm))
        x, y, z = x[None, None, :], y[None, :, None], z[:, None, None]
        top = np.maximum(self.couch_y_mm - y, np.abs(x) - self.couch_half_mm)
        # the underside is curved, as carbon couches are
        bottom = y - self.couch_y_mm - self.couch_depth_mm * (1 - 0.55 * (x / self.couch_half_mm) ** 2)
        _shell(hu, np.maximum(top, bottom) + 0 * z, 2.2, self.couch_wall_hu, -955.0, soft_mm)
        hollow = self.rest_hollow[0] - self.rest_hollow[1] * x**2
        rest = np.maximum(np.maximum(hollow - y, y - self.couch_y_mm + 1), np.abs(x) - self.rest_half_mm)
        _shell(hu, np.maximum(rest, self.rest_below_z_mm - z), 3.0, -500.0, -930.0, soft_mm)

    def paint_mask(self, hu: Array, skin_mm: Array, z_anatomy: Array, soft_mm: float) -> None:
        """Paint the thermoplastic mask: a thin sheet a little off the skin (``skin_mm``: distance outside it)."""
        if self.mask_mm > 0:
            sheet = np.abs(skin_mm - self.mask_gap_mm) - self.mask_mm / 2
            _blend(hu, np.maximum(sheet, self.mask_below_z_mm - z_anatomy), -150.0, soft_mm)


def draw_surroundings(c: Chance, head_back_mm: float, body_back_mm: float) -> Surroundings:
    """A couch under the patient's back; a head-rest fills the gap under the head."""
    return Surroundings(
        couch_y_mm=max(head_back_mm + 12, body_back_mm) + c.between(2, 8),
        couch_half_mm=c.between(205, 265),
        couch_depth_mm=c.between(35, 60),
        couch_wall_hu=c.between(-400, 100),
        rest_half_mm=c.between(60, 110),
        rest_below_z_mm=c.between(-125, -95),
        rest_hollow=(head_back_mm + c.between(1, 4), c.between(0.0, 0.004)),
        mask_gap_mm=c.between(1.0, 3.5),
        mask_mm=c.between(2.0, 3.2) if c.flip(0.75) else 0.0,
        mask_below_z_mm=c.between(-200, -110),
    )


def cut_field(hu: Array, x_mm: NDArray, y_mm: NDArray, centre_mm: tuple[float, float]) -> None:
    """Blank what lies outside the scanner's round field of view, in place."""
    outside = np.hypot(x_mm[None, :] - centre_mm[0], y_mm[:, None] - centre_mm[1]) > FIELD_OF_VIEW_MM / 2
    hu[:, outside] = OUTSIDE_FIELD_HU


def _shell(hu: Array, distance: Array, wall_mm: float, wall_hu: float, core_hu: float, soft_mm: float) -> None:
    _blend(hu, distance, wall_hu, soft_mm)
    _blend(hu, distance + np.float32(wall_mm), core_hu, soft_mm)


def _blend(hu: Array, distance: Array, value: float, soft_mm: float) -> None:
    share = np.clip(0.5 - distance / np.float32(soft_mm), 0, 1)
    hu += share * (np.float32(value) - hu)
