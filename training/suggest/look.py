"""What a data set is like: how large each organ is in the image, how far it reaches, where it lies, what is in it.

Test cases are not looked at: a size chosen by them would be chosen on what it is measured with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.errors import UsageError

from ..data.prepared import Case, load_cases

Triple = tuple[float, float, float]
AROUND_MM = 10.0  # how far around an organ its surroundings count as seen by a crop


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
    names = list(dict.fromkeys(organ for c in cases for organ in c.known))
    extents = [np.multiply(c.ct.shape, c.spacing_zyx_mm) for c in cases]
    return DataFacts(
        cases[0].modality,
        training,
        len(cases) - training,
        _triple(np.median([c.spacing_zyx_mm for c in cases], axis=0)),
        _triple(np.percentile(extents, 95, axis=0)),
        _values(cases),
        tuple(_organ(name, cases) for name in names),
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


def _organ(name: str, cases: Sequence[Case]) -> OrganFacts:
    own = [c for c in cases if name in c.known]
    whole = [c for c in own if c.whole(name)] or own
    sides = np.array([_sides_mm(c, name) for c in whole])
    voxels = np.array([np.count_nonzero(c.labels == c.value(name)) for c in whole], float)
    images = np.array([c.ct.size for c in whole], float)
    ml = voxels * [np.prod(c.spacing_zyx_mm) / 1000 for c in whole]
    slices = np.array([np.ptp(c.known[name].box[0]) for c in whole])
    depths = np.array([c.ct.shape[0] for c in whole])
    middle = [(c.centre_index(name) - (np.array(c.ct.shape) - 1) / 2) * c.spacing_zyx_mm for c in whole]
    return OrganFacts(
        name,
        len(own),
        _triple(np.percentile(ml, (5, 50, 95))),
        round(float(np.median(voxels / images)) * 100, 4),
        _triple(np.percentile(sides, 95, axis=0)),
        round(float(np.percentile(sides.min(1), 5)), 1),
        int(np.median(slices)),
        round(float(np.median(slices / depths)), 3),
        round(float(np.std(middle, axis=0).max()), 1),
    )


def _sides_mm(case: Case, organ: str) -> NDArray[np.float64]:
    box = np.asarray(case.known[organ].box, float)
    return (box[:, 1] - box[:, 0]) * case.spacing_zyx_mm


def _values(cases: Sequence[Case], some: int = 40) -> tuple[float, float, float, float]:
    """Values in and around the organs, of ``some`` cases spread over the set."""
    parts = []
    for case in cases[:: max(1, len(cases) // some)]:
        boxes = np.array([known.box for known in case.known.values()])
        pad = np.ceil(AROUND_MM / np.asarray(case.spacing_zyx_mm)).astype(int)
        low = np.maximum(boxes[:, :, 0].min(0) - pad, 0)
        high = boxes[:, :, 1].max(0) + pad
        parts.append(case.ct[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].ravel()[::7])
    values = np.concatenate(parts).astype(float)
    first, last = np.percentile(values, (1, 99))
    inside = np.clip(values, first, last)
    return float(first), float(last), float(inside.mean()), float(inside.std())


def _triple(values: Any) -> Triple:
    a, b, c = (round(float(v), 3) for v in values)
    return a, b, c
