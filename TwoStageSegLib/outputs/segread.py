"""Read any Slicer segmentation of label images (``.seg.nrrd``) back into masks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..mask import Mask
from .nrrd import Header, header_geometry, read_nrrd, refused

_INDEX_TOLERANCE = 0.02  # voxels: what rounding of headers may shift a grid by


@dataclass(frozen=True)
class _Entry:
    """A segment as the header names it."""

    name: str
    layer: int
    label: int
    tags: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Segment:
    """A segment with its tags, such as ``TerminologyEntry`` or ``TwoStageSeg.Model``."""

    mask: Mask
    tags: Mapping[str, str]


def read_segmentation(path: str | Path, onto: Geometry | None = None) -> list[Mask]:
    """The segments of a ``.seg.nrrd`` as trimmed masks, in the file's order; see :func:`read_segments`."""
    return [segment.mask for segment in read_segments(path, onto)]


def read_segments(path: str | Path, onto: Geometry | None = None) -> list[Segment]:
    """The segments of a ``.seg.nrrd``, trimmed, in the file's order; a mask's ``organ`` is the segment's name.

    Slicer may store only the part of the image that holds segments. Its header then moves the origin, so the file's
    grid is right as it stands; the stored extents (a hint for compact loading) are not needed. A label image without
    segment names gives ``Segment_1``, ``Segment_2``, ... as in Slicer.

    Parameters
    ----------
    path : 3D file, or 4D with a list axis of layers (anywhere among the axes).
    onto : the grid that the masks are wanted in, such as the image's; None for the file's own. It may be shifted by
        whole voxels against the file's; what lies outside it is cut off.

    Raises
    ------
    InputRefused
        ``E_FILE`` or ``E_SEG``: missing, damaged, not a label image; ``E_GRID``: the voxels of ``onto`` are others.
    """
    header, array = read_nrrd(Path(path))
    if "Segmentation_Extent" in header.keys:
        raise refused("it is of an old kind (Slicer 4.10 or before)")
    geometry, list_axis = header_geometry(header)
    array = array[..., None] if list_axis is None else np.moveaxis(array, array.ndim - 1 - list_axis, -1)
    if array.dtype.kind == "f":
        raise refused("it holds fractions, not labels")
    shift = (0, 0, 0) if onto is None else _whole_voxel_shift(geometry, onto)
    segments: list[tuple[int, Segment]] = []
    for layer in range(array.shape[-1]):
        labels = np.ascontiguousarray(array[..., layer])  # one pass over the interleaved layers instead of many
        found = _label_boxes(labels)
        for i, entry in _entries(header, layer, found, array.shape[-1]):
            mask = _cut(entry.name, labels, entry.label, found.get(entry.label), geometry)
            segments.append((i, Segment(mask if onto is None else _moved(mask, shift, onto), entry.tags)))
    return [segment for _, segment in sorted(segments, key=lambda pair: pair[0])]


def _entries(
    header: Header, layer: int, found: Mapping[int, tuple[slice, ...]], layers: int
) -> list[tuple[int, _Entry]]:
    """The segments of one layer with their place in the file's list."""
    indices = [int(m[1]) for k in header.keys if (m := re.fullmatch(r"Segment(\d+)_ID", k))]
    if not indices and layers == 1:
        return [(i, _Entry(f"Segment_{label}", 0, label, {})) for i, label in enumerate(sorted(found))]
    entries = [(i, _entry(header, i)) for i in sorted(indices)]
    if any(not 0 <= e.layer < layers for _, e in entries):
        raise refused(f"a segment names a layer that is not among its {layers}")
    return [(i, e) for i, e in entries if e.layer == layer]


def _entry(header: Header, index: int) -> _Entry:
    def value(key: str, default: str) -> str:
        return header.keys.get(f"Segment{index}_{key}", default)

    try:
        # Files from before shared layers (Slicer 4.11) name neither: one segment per component, voxels 1.
        layer, label = int(value("Layer", str(index))), int(value("LabelValue", "1"))
    except ValueError as error:
        raise refused(f"segment {index} has a layer or label that is not a number") from error
    pairs = (part.partition(":") for part in value("Tags", "").split("|") if ":" in part)
    tags = {name.strip(): content for name, _, content in pairs}
    return _Entry(value("Name", "") or value("ID", ""), layer, label, tags)


def _label_boxes(labels: NDArray) -> dict[int, tuple[slice, ...]]:
    """Bounding box of every label of a ``(z, y, x)`` image that occurs in it, in one pass."""
    from scipy.ndimage import find_objects

    if int(labels.max(initial=0)) > 65535:
        raise refused("a label is above 65535: this is no label image")
    boxes = find_objects(labels.astype(np.int32, copy=False) if labels.dtype.itemsize > 2 else labels)
    return {i + 1: box for i, box in enumerate(boxes) if box is not None}


def _cut(name: str, labels: NDArray, label: int, box: tuple[slice, ...] | None, geometry: Geometry) -> Mask:
    if box is None:
        return Mask(name, np.zeros((1, 1, 1), bool), (0, 0, 0), geometry)
    z, y, x = (s.start for s in box)
    return Mask(name, np.ascontiguousarray(labels[box] == label), (z, y, x), geometry)


def _whole_voxel_shift(source: Geometry, target: Geometry) -> tuple[int, int, int]:
    """Index of ``source``'s first voxel in ``target``. Refuses a grid that is turned, scaled or between voxels."""
    corners = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)]) * (np.array(source.shape_zyx) - 1)
    offsets = target.lps_to_index(source.index_to_lps(corners)) - corners
    shift = np.round(offsets[0])
    if np.abs(offsets - shift).max() > _INDEX_TOLERANCE:
        raise InputRefused(
            "E_GRID",
            "The segmentation's voxels do not lie on the image's. Choose the image it was drawn on, or resample it to "
            "the image in Slicer (Segmentations, export to labelmap with the image as reference).",
        )
    return int(shift[0]), int(shift[1]), int(shift[2])


def _moved(mask: Mask, shift: tuple[int, int, int], geometry: Geometry) -> Mask:
    """The mask in another grid: its start shifted, what falls outside cut off."""
    start = np.add(mask.start_zyx, shift)
    lo = np.clip(start, 0, geometry.shape_zyx)
    hi = np.clip(start + mask.voxels.shape, 0, geometry.shape_zyx)
    if (hi <= lo).any() or mask.empty:
        return Mask(mask.organ, np.zeros((1, 1, 1), bool), (0, 0, 0), geometry)
    inside = tuple(slice(int(a - s), int(b - s)) for a, b, s in zip(lo, hi, start, strict=True))
    return Mask(mask.organ, mask.voxels[inside], (int(lo[0]), int(lo[1]), int(lo[2])), geometry).trimmed()
