"""What S-Net and SOL-Net see of a scan (papers/004): chunk by chunk, averaged where chunks overlap, and kept.

The paper cuts 240 x 240 pixels from the middle of each slice; here the square lies around the body's middle. Between
chunks the paper's code averages probabilities and heatmaps, so here. Features are not averaged: the small organs'
networks were trained on those of one chunk, so each slice keeps those of the chunk in which it lies deepest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..geometry import rounded
from ..grid import Grid
from ..networks.small_organs import region_start
from ..volume import Volume
from .crops import multiples_of
from .focus_requirements import MAX_KEPT_BYTES
from .preprocess import Preprocess
from .runner import Runner, probability, softmax
from .slice_field import body_slices

Part = tuple[slice, slice, slice]
LARGEST_HALF = 65504.0


@dataclass(frozen=True, eq=False)
class Scan:
    """What the networks said on ``grid``, laid into the standard array of ``volume``; all maps are ``grid.shape``.

    Parameters
    ----------
    image : the normalised scan.
    shares : per organ that S-Net segments, its softmax.
    heat : per organ that SOL-Net locates, its heatmap 0..1.
    features : ``(channels, D, H, W)`` float16: S-Net's decoder features, then its first level; None if not kept.
    """

    volume: Volume
    grid: Grid
    image: NDArray[np.float32]
    shares: dict[str, NDArray[np.float32]]
    heat: dict[str, NDArray[np.float32]]
    features: NDArray[np.float16] | None

    def index(self, point_lps) -> NDArray[np.float64]:
        """A point as (fractional) index into ``grid``."""
        return rounded((self.volume.standard.geometry.lps_to_index(point_lps) - self.grid.start) / self.grid.step)

    def holds(self, point_lps) -> bool:
        index = self.index(point_lps)
        return bool((index >= -0.5).all() and (index <= np.asarray(self.grid.shape) - 0.5).all())

    def part(self, centre_lps, size_mm) -> Part:
        """A crop's voxels. It keeps its size: near a border it is moved inwards, as in training."""
        step_mm = np.asarray(self.grid.step) * self.volume.standard.geometry.spacing_zyx_mm
        z, y, x = (int(n) for n in np.clip(multiples_of(np.asarray(size_mm) / step_mm, 1), 1, self.grid.shape))
        middle = torch.from_numpy(np.floor(self.index(centre_lps) + 0.5).astype(np.int64))
        i, j, k = region_start(middle[None], self.grid.shape, (z, y, x))[0].tolist()
        return slice(i, i + z), slice(j, j + y), slice(k, k + x)

    def grid_of(self, part: Part) -> Grid:
        z, y, x = (float(s + p.start * d) for s, p, d in zip(self.grid.start, part, self.grid.step, strict=True))
        depth, height, width = (p.stop - p.start for p in part)
        return Grid((z, y, x), self.grid.step, (depth, height, width))


@dataclass(frozen=True)
class Frame:
    """What S-Net sees at once: ``chunk`` slices of a square of ``field_mm``, sides of which are ``multiple`` voxels."""

    spacing_mm: tuple[float, ...]
    field_mm: float
    chunk: int
    multiple: int

    def grid(self, volume: Volume, centre_lps, depth: int) -> Grid:
        """The grid of ``depth`` slices (one chunk at least) around a point."""
        spacing = np.asarray(self.spacing_mm)
        height, width = multiples_of(self.field_mm / spacing[1:], self.multiple)
        return Grid.centred(volume.standard.geometry, centre_lps, spacing, (max(depth, self.chunk), height, width))


def body_grid(volume: Volume, preprocess: Preprocess, frame: Frame) -> Grid | None:
    """The grid that holds the body's slices, around its middle (training draws from it too); None without a body."""
    found = body_slices(volume, preprocess)
    if found is None:
        return None
    slices, (y, x) = found
    geometry = volume.standard.geometry
    depth = math.ceil(len(slices) * geometry.spacing_zyx_mm[0] / frame.spacing_mm[0] - 0.02)
    return frame.grid(volume, geometry.index_to_lps(((slices.start + slices.stop - 1) / 2, y, x)), depth)


@dataclass(frozen=True)
class Looker:
    """How scans are looked at.

    Parameters
    ----------
    snet, sol : the networks; ``sol`` None if the bundle has no small organs.
    outputs : the organs that S-Net segments, with their output.
    chunk, stride, field_mm : see ``focus_requirements.DEFAULTS``.
    keep : whether any small organ's network asks for features.
    """

    snet: Runner
    sol: Runner | None
    preprocess: Preprocess
    outputs: Mapping[str, int]
    chunk: int
    stride: int
    field_mm: float
    keep: bool

    def whole(self, volume: Volume) -> Grid | None:
        """The grid that holds the body's slices; None if there is no body."""
        return body_grid(volume, self.preprocess, self._frame)

    def around(self, volume: Volume, centre_lps) -> Grid:
        """One chunk's grid around a point."""
        return self._frame.grid(volume, centre_lps, self.chunk)

    def look(self, volume: Volume, grid: Grid, small: bool = True) -> Scan:
        """Run the networks on ``grid``; without ``small`` only S-Net, whose features are not kept."""
        image = self.preprocess.image(volume, grid)
        sol = self.sol if small else None
        shares = {name: np.zeros(grid.shape, np.float32) for name in self.outputs}
        heat = {name: np.zeros(grid.shape, np.float32) for name in (sol.spec.outputs if sol is not None else ())}
        kept: NDArray[np.float16] | None = None
        starts = chunk_starts(grid.shape[0], self.chunk, self.stride)
        deepest = deepest_in(starts, self.chunk, grid.shape[0])
        times = np.zeros((grid.shape[0], 1, 1), np.float32)
        for number, first in enumerate(starts):
            part = slice(first, first + self.chunk)
            answer = self.snet(image[None, None, part])
            logits, features = np.split(answer, [len(self.snet.spec.outputs)], 1)
            organs = softmax(logits)[0]
            for name, output in self.outputs.items():
                shares[name][part] += organs[output]
            times[part] += 1
            if sol is None:
                continue
            for name, map_ in zip(heat, probability(sol(features[:, : features.shape[1] // 2]))[0], strict=True):
                heat[name][part] += map_
            if self.keep and 2 * features.shape[1] * math.prod(grid.shape) <= MAX_KEPT_BYTES:
                kept = np.zeros((features.shape[1], *grid.shape), np.float16) if kept is None else kept
                own = np.flatnonzero(deepest == number)
                kept[:, own] = np.clip(features[0][:, own - first], -LARGEST_HALF, LARGEST_HALF)
        for map_ in (*shares.values(), *heat.values()):
            map_ /= times
        return Scan(volume, grid, image, shares, heat, kept)

    @property
    def _frame(self) -> Frame:
        return Frame(tuple(self.snet.spec.spacing_mm), self.field_mm, self.chunk, self.snet.network.multiple)


def chunk_starts(depth: int, chunk: int, stride: int) -> list[int]:
    """First slices of the chunks that cover ``depth`` slices; the last one ends with the scan."""
    return [*range(0, depth - chunk, stride), depth - chunk]


def deepest_in(starts: list[int], chunk: int, depth: int) -> NDArray[np.int64]:
    """Per slice, the number of the chunk whose middle is nearest; at a tie the earlier one."""
    middles = np.asarray(starts) + (chunk - 1) / 2
    return np.abs(np.arange(depth)[:, None] - middles).argmin(1)


def gaussian(shape: tuple[int, ...], centre: NDArray, sigma: NDArray) -> NDArray[np.float32]:
    """A 3D Gaussian of 1 at the (fractional) index ``centre``; ``sigma`` in voxels per axis."""
    z, y, x = (np.exp(-((np.arange(n) - c) ** 2) / (2 * s**2)) for n, c, s in zip(shape, centre, sigma, strict=True))
    return np.asarray(z[:, None, None] * y[:, None] * x, np.float32)
