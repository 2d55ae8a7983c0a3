"""From probabilities on the scan's own voxels to a Mask in the input's orientation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..geometry import Geometry
from ..mask import Mask
from ..region import Region, Source
from ..volume import Volume
from .coarse import FULL
from .used import used_box

Index = tuple[int, int, int]


def mask_from(
    values: NDArray[np.float32],
    start: Index,
    threshold: float,
    volume: Volume,
    region: Region,
    slack_mm: float,
    bridge: int = 0,
) -> Mask:
    """Threshold, keep within a drawn box, take the largest component, turn to the input's orientation.

    Parameters
    ----------
    values : probabilities of the standard array's voxels from index ``start`` on.
    slack_mm : how far the organ may reach beyond a box that the user drew.
    bridge : components that are that many slices apart count as one, for organs that are drawn slice by slice.
    """
    geometry, axis_map = volume.standard.geometry, volume.standard.axis_map
    inside = values > threshold
    if region.source == Source.BOX and region.size_mm is not None:
        inside &= _within(region, geometry, start, inside.shape, slack_mm)
    inside = largest(inside, bridge)
    begins = axis_map.start_to_input(start, inside.shape, geometry.shape_zyx)
    edge = touches_edge(inside, start, geometry.shape_zyx)
    voxels = np.ascontiguousarray(axis_map.to_input(inside))
    return Mask(region.organ, voxels, begins, volume.geometry, edge).trimmed()


def largest(inside: NDArray[np.bool_], bridge: int = 0) -> NDArray[np.bool_]:
    """The largest component; across up to ``bridge`` empty slices it goes on."""
    box = used_box(inside)
    if box is None:
        return inside
    # as many slices beyond as bridging reaches: equal components keep the order that they have in the whole array
    beyond = (bridge + 1) // 2
    box = (slice(max(0, box[0].start - beyond), box[0].stop + beyond), *box[1:])
    part = inside[box]
    labels, count = components(part, bridge)
    if count == 1:
        return inside
    out = np.zeros_like(inside)
    out[box] = part & (labels == np.argmax(np.bincount(labels[part])))
    return out


def components(inside: NDArray[np.bool_], bridge: int = 0) -> tuple[NDArray[np.int32], int]:
    """Labels from 1 on of what hangs together, across up to ``bridge`` empty slices, and how many there are."""
    above_and_below = np.zeros((3, 3, 3), bool)
    above_and_below[:, 1, 1] = True
    reach = (bridge + 1) // 2  # from both sides
    joined = ndimage.binary_dilation(inside, above_and_below, reach) if reach else inside
    labels, count = ndimage.label(joined, FULL)
    return labels, count


def at_point(
    values: NDArray[np.float32], start: Index, threshold: float, point: NDArray, reach: NDArray, bridge: int = 0
) -> NDArray[np.float32]:
    """The values of what hangs together with the organ at a point, 0 elsewhere; 0 everywhere if nothing is there.

    Parameters
    ----------
    point : index (z, y, x) in the standard array, in whose slice the organ is looked for.
    reach : how many voxels (y, x) beside the point the organ may begin. bridge : see ``mask_from``.
    """
    inside = values > threshold
    z = int(np.clip(round(float(point[0])) - start[0], 0, len(values) - 1))
    there = np.argwhere(inside[z])
    distance = np.linalg.norm((there + np.asarray(start)[1:] - point[1:]) / reach, axis=1)
    if not (distance <= 1).any():
        return np.zeros_like(values)
    y, x = there[int(distance.argmin())]
    labels, _ = components(inside, bridge)
    return np.where(labels == labels[z, y, x], values, np.float32(0))


def touches_edge(inside: NDArray[np.bool_], start: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """True if the organ reaches a face of its crop behind which the image goes on."""
    for axis, (s, n, whole) in enumerate(zip(start, inside.shape, full, strict=True)):
        if n == 0:
            return False
        if s > 0 and inside.take(0, axis).any():
            return True
        if s + n < whole and inside.take(n - 1, axis).any():
            return True
    return False


def _within(
    region: Region, geometry: Geometry, start: Index, shape: tuple[int, ...], slack_mm: float
) -> NDArray[np.bool_]:
    """Voxels inside the drawn box, with a little slack: what the user bounds stays bounded."""
    assert region.size_mm is not None and region.centre_lps is not None
    ranges = [np.arange(s, s + n) for s, n in zip(start, shape, strict=True)]
    points = geometry.index_to_lps(np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3))
    offset = np.abs((points - region.centre_lps) @ np.asarray(region.axes))
    return (offset <= np.asarray(region.size_mm) / 2 + slack_mm).all(1).reshape(shape)
