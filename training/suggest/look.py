"""What a data set is like: how large each organ is in the image, how far it reaches, where it lies, what is in it.

Test cases are not looked at: a size chosen by them would be chosen on what it is measured with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.errors import UsageError

from ..data.prepared import Case, load_cases

Triple = tuple[float, float, float]
AROUND_MM = 10.0  # how far around the organs their surroundings count as seen by a crop
SOME_CASES, SOME_VALUES = 40, 20_000  # of which values are looked at, and how many of each


@dataclass(frozen=True)
class OrganFacts:
    """One organ over the cases where it is known and whole. Axes (z, y, x).

    Parameters
    ----------
    cases : how many cases know it. volume_ml : 5th, 50th and 95th percentile.
    percent : median share of the image's voxels, in per cent.
    extent_mm : 95th percentile of its box's sides. narrow_mm : 5th percentile of its box's shortest side.
    slices : median number of slices it is on. slice_share : median share of the scan's slices.
    place_sd_mm : standard deviation of its centre's place in the image, longest axis.
    """

    organ: str
    cases: int
    volume_ml: Triple
    percent: float
    extent_mm: Triple
    narrow_mm: float
    slices: int
    slice_share: float
    place_sd_mm: float


@dataclass(frozen=True)
class DataFacts:
    """The whole set. ``values``: 1st and 99th percentile, mean and standard deviation of what lies in and around the
    organs, in HU or thousandths of a volume's own range. ``image_mm``: 95th percentile of the images' sides."""

    modality: str
    training: int
    validation: int
    spacing_mm: Triple
    image_mm: Triple
    values: tuple[float, float, float, float]
    organs: tuple[OrganFacts, ...]

    def organ(self, name: str) -> OrganFacts:
        return next(o for o in self.organs if o.organ == name)


@dataclass(frozen=True)
class _Part:
    """One organ of one case."""

    whole: bool
    voxels: int
    image_voxels: int
    voxel_ml: float
    sides_mm: NDArray[np.float64]
    slices: int
    depth: int
    place_mm: NDArray[np.float64]


@dataclass(frozen=True)
class _Seen:
    """One case."""

    image_mm: NDArray[np.float64]
    parts: dict[str, _Part]
    values: NDArray[np.float64]


def look(folder: Path) -> DataFacts:
    """Facts of the prepared training and validation cases of ``folder``.

    Raises
    ------
    UsageError : E_CASES if there are no training cases, or images of two kinds.
    """
    cases = [c for c in load_cases(folder) if c.split != "test" and c.known]
    training = sum(c.split == "train" for c in cases)
    if not training:
        raise UsageError("E_CASES", f"{folder.name} holds no training cases with a known organ. Prepare more cases.")
    if len({c.modality for c in cases}) > 1:
        raise UsageError("E_MODALITY", f"{folder.name} holds CT and MR cases. Prepare them into folders of their own.")
    every = max(1, len(cases) // SOME_CASES)
    seen = [_see(replace(c), i % every == 0) for i, c in enumerate(cases)]  # a copy keeps no arrays once it is seen
    parts: dict[str, list[_Part]] = {}
    for one in seen:
        for organ, part in one.parts.items():
            parts.setdefault(organ, []).append(part)
    return DataFacts(
        cases[0].modality,
        training,
        len(cases) - training,
        _triple(np.median([c.spacing_zyx_mm for c in cases], axis=0)),
        _triple(np.percentile([one.image_mm for one in seen], 95, axis=0)),
        _values(np.concatenate([one.values for one in seen])),
        tuple(_organ(name, own) for name, own in parts.items()),
    )


def described(folder: Path) -> dict[str, Any]:
    """What ``data`` wrote about the set (of several, of all of them together): title, licence, attribution, ..."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("dataset-*.json")):
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            if isinstance(value, list):
                found[key] = [*found.get(key, []), *value]
            elif isinstance(value, str) and value:
                found[key] = "; ".join(filter(None, (found.get(key), value)))
    return found


def _see(case: Case, with_values: bool) -> _Seen:
    shape, spacing = np.array(case.ct.shape), np.array(case.spacing_zyx_mm)
    parts = {}
    for organ, known in case.known.items():
        box = np.asarray(known.box, float)
        parts[organ] = _Part(
            case.whole(organ),
            int(np.count_nonzero(case.labels == case.value(organ))),
            int(case.ct.size),
            float(np.prod(spacing)) / 1000,
            (box[:, 1] - box[:, 0]) * spacing,
            int(box[0, 1] - box[0, 0]),
            int(shape[0]),
            (case.centre_index(organ) - (shape - 1) / 2) * spacing,
        )
    values = np.zeros(0)
    if with_values:
        boxes = np.array([known.box for known in case.known.values()])
        pad = np.ceil(AROUND_MM / spacing).astype(int)
        low, high = np.maximum(boxes[:, :, 0].min(0) - pad, 0), boxes[:, :, 1].max(0) + pad
        around = case.ct[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        values = around.ravel()[:: max(1, around.size // SOME_VALUES)].astype(float)
    return _Seen(shape * spacing, parts, values)


def _organ(name: str, own: Sequence[_Part]) -> OrganFacts:
    whole = [p for p in own if p.whole] or own
    sides = np.array([p.sides_mm for p in whole])
    return OrganFacts(
        name,
        len(own),
        _triple(np.percentile([p.voxels * p.voxel_ml for p in whole], (5, 50, 95))),
        round(float(np.median([p.voxels / p.image_voxels for p in whole])) * 100, 4),
        _triple(np.percentile(sides, 95, axis=0)),
        round(float(np.percentile(sides.min(1), 5)), 1),
        int(np.median([p.slices for p in whole])),
        round(float(np.median([p.slices / p.depth for p in whole])), 3),
        round(float(np.std([p.place_mm for p in whole], axis=0).max()), 1),
    )


def _values(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    first, last = np.percentile(values, (1, 99))
    inside = np.clip(values, first, last)
    return float(first), float(last), float(inside.mean()), float(inside.std())


def _triple(values: Any) -> Triple:
    a, b, c = (round(float(v), 3) for v in values)
    return a, b, c
