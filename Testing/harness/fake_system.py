"""A two-stage system without networks: organs are blocks of known HU, found by their values.

It can be told to take long at a stage, as a forward pass does that nothing can interrupt, or to break there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from TwoStageSegLib.device import Device
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model
from TwoStageSegLib.region import Kind, Region, Source, Status
from TwoStageSegLib.volume import Volume

HU = {"Brainstem": 100, "Parotid_R": 200, "Parotid_L": 300}
BOXES_ZYX = {"Brainstem": (8, 6, 10), "Parotid_R": (10, 8, 4), "Parotid_L": (10, 8, 18)}  # first voxel; 4 voxels long
SIZE = 4
ENTERED = "TWOSTAGESEG_TEST_ENTERED"  # file that gets a line whenever a stage is entered
UNSURE = "TWOSTAGESEG_TEST_UNSURE"  # an organ that is located with low confidence
STALL = "TWOSTAGESEG_TEST_STALL"  # "stage=seconds" or "stage=raise"


def fake_volume(organs: Iterable[str] = HU) -> Volume:
    """24 slices of 24 x 28 voxels, 4 x 4 x 5 mm, with a block of 4 x 4 x 4 voxels for every organ; air elsewhere."""
    voxels = np.full((24, 24, 28), -1000, np.int16)
    for organ in organs:
        z, y, x = BOXES_ZYX[organ]
        voxels[z : z + SIZE, y : y + SIZE, x : x + SIZE] = HU[organ]
    return Volume(voxels, Geometry((24, 24, 28), (-30.0, -20.0, 100.0), (4.0, 4.0, 5.0)), "CT")


class FakeSystem:
    """Finds each organ's block by its HU."""

    def __init__(self, model: Model, device: Device):
        _enter("load")
        self.device = device
        self.model = model

    def self_test(self) -> None:
        _enter("self_test")

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        _enter("locate")
        return {organ: self._found(volume, organ) for organ in organs}

    def segment(self, volume: Volume, region: Region) -> Mask:
        _enter(f"segment-{region.organ}")
        if region.kind is Kind.BOX:
            corners = volume.geometry.lps_to_index(region.corners_lps())
            low, high = corners.min(0), corners.max(0)
        else:
            centre = volume.geometry.lps_to_index(region.centre_lps)
            low, high = centre - 6, centre + 6
        lo = np.clip(np.ceil(low), 0, volume.voxels.shape).astype(int)
        hi = np.clip(np.floor(high) + 1, lo, volume.voxels.shape).astype(int)
        crop = volume.voxels[tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))] == HU[region.organ]
        touches = bool(crop.any() and (crop[0].any() or crop[-1].any()))
        return Mask(region.organ, np.array(crop), (int(lo[0]), int(lo[1]), int(lo[2])), volume.geometry, touches)

    def _found(self, volume: Volume, organ: str) -> Region:
        where = np.argwhere(volume.voxels == HU[organ])
        if not len(where):
            return Region.not_located(organ, 0.1)
        points = volume.geometry.index_to_lps(np.array([where.min(0) - 1.5, where.max(0) + 1.5]))
        bounds = np.sort(points, 0).T.ravel()
        region = Region.box(organ, bounds, Source.AUTO)
        if os.environ.get(UNSURE) == organ:
            return replace(region, status=Status.LOW_CONFIDENCE, score=0.3)
        return region


def _enter(stage: str) -> None:
    if os.environ.get(ENTERED):
        print("a stray print on stdout:", stage)
    if log := os.environ.get(ENTERED):
        with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(stage + "\n")
    name, _, action = os.environ.get(STALL, "").partition("=")
    if name != stage:
        return
    if action == "raise":
        raise RuntimeError("broken on purpose in /some/secret/folder/file.py")
    if action == "memory":
        raise MemoryError
    time.sleep(float(action))
