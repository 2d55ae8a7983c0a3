"""The prepared layout: one folder per case with plain arrays, read by memory map.

``ct.npy`` int16 HU (of images without units: thousandths of the volume's own range, see
``TwoStageSegLib.systems.preprocess``) and ``labels.npy`` uint8 (value = 1 + position in ``organs``), both
``(z, y, x)`` in standard orientation at the scan's own resolution; ``outside.npy`` uint8, distance outside the body in
mm (0 inside, at most 255); ``case.json`` with spacing, which organs are known, and each known organ's box and
completeness.
An organ that is not contoured is *unknown*: it is missing from ``known`` and must never count as background. Where a
scan certainly does not hold an organ (a thigh has no larynx), ``absent`` names it, and all of it is background.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from TwoStageSegLib.systems.preprocess import PERCENTILES, RANGE_UNITS, value_range

ORGANS = ("Brainstem", "SpinalCord", "Parotid_R", "Parotid_L", "Esophagus", "Larynx", "Bone_Mandible")


@dataclass(frozen=True)
class KnownOrgan:
    """Box of a contoured organ in voxel indices (first, last+1 per axis z, y, x) and the fraction inside the scan."""

    box: list[list[int]]
    fraction: float


@dataclass(frozen=True)
class Case:
    """One prepared case; arrays are loaded when first used and kept."""

    folder: Path
    name: str
    split: str
    grade: str
    spacing_zyx_mm: tuple[float, float, float]
    organs: tuple[str, ...]
    known: dict[str, KnownOrgan]
    absent: tuple[str, ...] = ()
    modality: str = "CT"

    @property
    def air(self) -> float:
        """What lies beyond the image, in its units."""
        return air_of(self.modality)

    @cached_property
    def ct(self) -> NDArray[np.int16]:
        return np.load(self.folder / "ct.npy")

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        return np.load(self.folder / "labels.npy")

    @cached_property
    def outside(self) -> NDArray[np.uint8]:
        return np.load(self.folder / "outside.npy")

    def value(self, organ: str) -> int:
        return 1 + self.organs.index(organ)

    def whole(self, organ: str, fraction: float = 0.99) -> bool:
        return organ in self.known and self.known[organ].fraction >= fraction

    def centre_index(self, organ: str) -> NDArray[np.float64]:
        """Centre of the organ's box, fractional voxel index (z, y, x)."""
        box = np.asarray(self.known[organ].box, float)
        return (box[:, 0] + box[:, 1] - 1) / 2


def write_case(
    folder: Path,
    name: str,
    split: str,
    grade: str,
    ct: NDArray,
    labels: NDArray,
    spacing_zyx_mm: Sequence[float],
    organs: Sequence[str],
    fractions: dict[str, float],
    absent: Sequence[str] = (),
    modality: str = "CT",
) -> None:
    """Write one case. ``fractions`` holds the known organs and how much of each lies inside the scan; ``absent`` those
    that the scan certainly does not hold. ``ct`` is in the image's own units whatever its ``modality``."""
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[str, Any] = {}
    for organ, fraction in fractions.items():
        where = np.nonzero(labels == 1 + list(organs).index(organ))
        if len(where[0]) == 0:
            continue
        box = [[int(w.min()), int(w.max()) + 1] for w in where]
        known[organ] = asdict(KnownOrgan(box, float(fraction)))
    np.save(folder / "ct.npy", in_units(ct, modality))
    np.save(folder / "labels.npy", labels.astype(np.uint8))
    outside = distance_outside(ct, spacing_zyx_mm) if modality == "CT" else np.zeros(ct.shape, np.uint8)
    np.save(folder / "outside.npy", outside)
    text = {
        "name": name,
        "split": split,
        "grade": grade,
        "spacing_zyx_mm": [float(s) for s in spacing_zyx_mm],
        "organs": list(organs),
        "known": known,
        "absent": list(absent),
        "modality": modality,
    }
    (folder / "case.json").write_text(json.dumps(text, indent=1), encoding="utf-8")


def load_cases(root: Path, split: str | None = None) -> list[Case]:
    """All prepared cases under ``root`` (of one split), by name."""
    cases = []
    for path in sorted(root.glob("*/case.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        if split is not None and raw["split"] != split:
            continue
        z, y, x = raw["spacing_zyx_mm"]
        cases.append(
            Case(
                path.parent,
                raw["name"],
                raw["split"],
                raw["grade"],
                (z, y, x),
                tuple(raw["organs"]),
                {k: KnownOrgan(**v) for k, v in raw["known"].items()},
                tuple(raw.get("absent", ())),
                raw.get("modality", "CT"),
            )
        )
    if not cases:
        raise FileNotFoundError(f"no prepared cases under {root}; run 'python -m training data ...' first")
    return cases


def in_units(voxels: NDArray, modality: str) -> NDArray[np.int16]:
    """HU of a CT; other images in thousandths of their own range, as the engine's preprocessing sees them.

    A percentile follows every change of scale and offset, so the engine sees the same in the prepared array as in the
    original image.
    """
    if modality == "CT":
        return np.clip(voxels, -1024, 3071).astype(np.int16)
    low, high = value_range(voxels, PERCENTILES)
    values = (voxels.astype(np.float32) - low) * (RANGE_UNITS / (high - low))
    return np.clip(np.rint(values), -30000, 30000).astype(np.int16)


def air_of(modality: str) -> float:
    """What lies beyond an image of this kind."""
    return -1024.0 if modality == "CT" else 0.0


def distance_outside(ct: NDArray, spacing_zyx_mm: Sequence[float]) -> NDArray[np.uint8]:
    """Distance of every voxel to the body, mm (0 inside, at most 255).

    Outside is what the data set blanked (-1024) or air (< -400 HU) that is connected, slice by slice, to the border
    of the image plane; a lung or an airway is inside.
    """
    air = np.pad(ct < -400, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    plane = np.zeros((3, 3, 3), bool)
    plane[1] = ndimage.generate_binary_structure(2, 1)
    components, _ = ndimage.label(air, plane)
    border = np.unique(components[:, 0, 0])
    outside = np.isin(components, border)[:, 1:-1, 1:-1]
    distance = ndimage.distance_transform_edt(outside, sampling=spacing_zyx_mm)
    return np.minimum(distance, 255).astype(np.uint8)
