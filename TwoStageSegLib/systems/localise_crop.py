"""``localise-crop`` (Smith, papers/002): a low-resolution 3D U-Net finds the organs, a 3D U-Net segments each crop.

Locate: the whole scan on a coarse grid, cropped to the body; largest component per organ; its box, padded by the
margin that the measured location error asks for. Segment: a crop around the region's centre, at least as large as
those the network was trained on; its probability is placed into the input's own grid and cut at the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..device import Device
from ..errors import ModelRefused
from ..grid import Grid, place, sample
from ..manifest import OrganSpec
from ..mask import Mask
from ..model import Model
from ..region import Kind, Region, Source, Status
from ..volume import Volume
from .body import body_box
from .requirements import RECENTRE_MM, SLACK_MM, check_bundle, self_test_pairs
from .runner import Runner, probability

FULL = np.ones((3, 3, 3), bool)  # 26-connectivity, as 002's largest component


class LocaliseCrop:
    """A running ``localise-crop`` bundle. Parameters of the bundle: ``average_mirror``,
    ``box_slack_mm``, ``recentre_mm`` (0: never)."""

    def __init__(self, model: Model, device: Device):
        self.model, self.manifest = model, model.manifest
        check_bundle(self.manifest)
        self.locator = Runner(model, "locate", device)
        self.segmenter = Runner(model, "segment", device)
        self.average_mirror = bool(self.manifest.parameters.get("average_mirror", False))
        self.box_slack_mm = float(self.manifest.parameters.get("box_slack_mm", SLACK_MM))
        self.recentre_mm = float(self.manifest.parameters.get("recentre_mm", RECENTRE_MM))

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A padded box per organ, from one pass of the coarse network over the body."""
        wanted = list(organs)
        grid, coarse = self._coarse(volume)
        box = body_box(coarse)
        if box is None:
            return {name: Region.not_located(name) for name in wanted}
        body = coarse[box]
        start = tuple(float(s + b.start * d) for s, b, d in zip(grid.start, box, grid.step, strict=True))
        grid = Grid((start[0], start[1], start[2]), grid.step, body.shape)
        logits = self.locator(self._padded(self._normalised(body))[None, None])[0]
        z, y, x = body.shape
        channels = self.locator.spec.outputs
        found = {}
        for name in wanted:
            map_ = probability(logits[channels.index(name), :z, :y, :x])
            found[name] = self._region(self.manifest.organ(name), map_, grid, volume)
        return found

    def segment(self, volume: Volume, region: Region) -> Mask:
        """Segment the organ of ``region`` in the crop around it.

        If the organ turns out to lie off the crop's centre by more than ``recentre_mm``, once more around where it
        is (papers/000 refines its centres from the first mask in the same way). A drawn box stays where it is.
        """
        organ = self.manifest.organ(region.organ)
        mask = self._once(volume, region, organ)
        if region.source == Source.BOX or mask.empty or self.recentre_mm <= 0:
            return mask
        middle = volume.geometry.index_to_lps(np.add(mask.start_zyx, np.subtract(mask.voxels.shape, 1) / 2))
        if np.linalg.norm(middle - np.asarray(region.centre_lps)) <= self.recentre_mm:
            return mask
        x, y, z = (float(v) for v in middle)
        again = self._once(volume, replace(region, centre_lps=(x, y, z)), organ)
        return mask if again.empty else again

    def probability(self, volume: Volume, region: Region) -> tuple[tuple[int, int, int], NDArray[np.float32]]:
        """The organ's probability at the voxels of the standard array under its crop: ``(first index, values)``.

        An organ on the midline is the mean of the crop and its mirror image, if the bundle says so.
        """
        organ = self.manifest.organ(region.organ)
        grid = self._crop_grid(volume, region, organ)
        image = self._normalised(self._sampled(volume, grid))
        both = self.average_mirror and not _paired(organ.name)
        flips = [organ.mirror, not organ.mirror] if both else [organ.mirror]
        batch = np.stack([_mirrored(image, flip) for flip in flips])[:, None]
        maps = probability(self.segmenter(batch)[:, organ.output])
        map_ = np.mean([_mirrored(m, flip) for m, flip in zip(maps, flips, strict=True)], 0, dtype=np.float32)
        return place(map_, grid, volume.standard.geometry.shape_zyx)

    def _once(self, volume: Volume, region: Region, organ: OrganSpec) -> Mask:
        return self._placed(*self.probability(volume, region), volume, region, organ)

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        runners = {"locate": self.locator, "segment": self.segmenter}
        pairs = self_test_pairs(self.model, {role: runner.network.multiple for role, runner in runners.items()})
        for role, (given, expected) in pairs.items():
            got = runners[role](given, exact=True)
            if got.shape != expected.shape or not np.allclose(got, expected, atol=self.manifest.self_test.atol):
                raise ModelRefused(f"The self-test of the network {role!r} failed: this bundle does not work here.")

    def _coarse(self, volume: Volume) -> tuple[Grid, NDArray[np.float32]]:
        geometry = volume.standard.geometry
        spacing = np.asarray(self.locator.spec.spacing_mm)
        shape = np.maximum(np.ceil(geometry.extent_zyx_mm / spacing), 1).astype(int)
        centre = geometry.index_to_lps((np.asarray(geometry.shape_zyx) - 1) / 2)
        grid = Grid.centred(geometry, centre, spacing, shape)
        return grid, self._sampled(volume, grid)

    def _sampled(self, volume: Volume, grid: Grid) -> NDArray[np.float32]:
        """HU on a grid; a CT's padding values (-2000, -3024) count as air."""
        outside = self.manifest.input.outside
        floor = outside if self.manifest.input.modality == "CT" else None
        return sample(volume.standard.voxels, grid, outside, floor=floor)

    def _region(self, organ: OrganSpec, map_: NDArray[np.float32], grid: Grid, volume: Volume) -> Region:
        """Largest component of one organ's coarse map as a padded box; its score is the mean probability inside,
        times its share of everything above one half (two candidates make it unsure)."""
        labels, count = ndimage.label(map_ > 0.5, FULL)
        if count == 0:
            return Region.not_located(organ.name, float(map_.max()))
        mass = ndimage.sum_labels(map_, labels, np.arange(1, count + 1))
        best = int(np.argmax(mass)) + 1
        score = float(map_[labels == best].mean() * mass[best - 1] / mass.sum())
        if score < organ.located_score:
            return Region.not_located(organ.name, score)
        where = ndimage.find_objects(labels)[best - 1]
        geometry = volume.standard.geometry
        step_mm = np.asarray(grid.step) * geometry.spacing_zyx_mm
        low = np.array([s.start - 0.5 for s in where]) - np.asarray(organ.margin_mm)[[4, 2, 0]] / step_mm
        high = np.array([s.stop - 0.5 for s in where]) + np.asarray(organ.margin_mm)[[5, 3, 1]] / step_mm
        centre = grid.to_lps(geometry, (low + high) / 2)
        size = ((high - low) * step_mm)[::-1]
        axes = geometry.direction
        return Region(
            organ.name,
            Kind.BOX,
            Source.AUTO,
            Status.LOCATED if score >= organ.low_score else Status.LOW_CONFIDENCE,
            score,
            (float(centre[0]), float(centre[1]), float(centre[2])),
            (float(size[0]), float(size[1]), float(size[2])),
            (axes[0], axes[1], axes[2]),
        )

    def _crop_grid(self, volume: Volume, region: Region, organ: OrganSpec) -> Grid:
        geometry = volume.standard.geometry
        spacing = np.asarray(self.segmenter.spec.spacing_mm)
        size = np.asarray(organ.crop_mm)
        if region.size_mm is not None:
            index = geometry.lps_to_index(region.corners_lps())
            size = np.maximum(size, (index.max(0) - index.min(0)) * geometry.spacing_zyx_mm)
        multiple = self.segmenter.network.multiple
        shape = (np.ceil(size / spacing / multiple - 0.02) * multiple).astype(int)
        # never larger than the scan itself, rounded up to what the network needs
        limit = (np.ceil(geometry.extent_zyx_mm / spacing / multiple) * multiple).astype(int)
        smallest = np.ceil(np.asarray(organ.crop_mm) / spacing / multiple - 0.02).astype(int) * multiple
        return Grid.centred(geometry, region.centre_lps, spacing, np.minimum(shape, np.maximum(limit, smallest)))

    def _placed(
        self, start: tuple[int, int, int], values: NDArray[np.float32], volume: Volume, region: Region, organ: OrganSpec
    ) -> Mask:
        """Probability on the scan's own voxels -> threshold -> largest component -> Mask."""
        geometry, axis_map = volume.standard.geometry, volume.standard.axis_map
        inside = values > organ.threshold
        if region.source == Source.BOX and region.size_mm is not None:
            inside &= self._within(region, geometry, start, inside.shape)
        labels, count = ndimage.label(inside, FULL)
        if count > 1:
            inside = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
        begins = axis_map.start_to_input(start, inside.shape, geometry.shape_zyx)
        edge = _touches_edge(inside, start, geometry.shape_zyx)
        voxels = np.ascontiguousarray(axis_map.to_input(inside))
        return Mask(organ.name, voxels, begins, volume.geometry, edge).trimmed()

    def _within(self, region: Region, geometry, start: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Voxels inside the drawn box, with a little slack: what the user bounds stays bounded."""
        assert region.size_mm is not None
        axes = np.asarray(region.axes)
        ranges = [np.arange(s, s + n) for s, n in zip(start, shape, strict=True)]
        points = geometry.index_to_lps(np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3))
        offset = np.abs((points - region.centre_lps) @ axes)
        return (offset <= np.asarray(region.size_mm) / 2 + self.box_slack_mm).all(1).reshape(shape)

    def _normalised(self, hu: NDArray[np.float32]) -> NDArray[np.float32]:
        spec = self.manifest.input
        return ((np.clip(hu, spec.clip[0], spec.clip[1]) - spec.centre) / spec.scale).astype(np.float32)

    def _padded(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        multiple = self.locator.network.multiple
        air = max(self.manifest.input.outside, self.manifest.input.clip[0]) - self.manifest.input.centre
        widths = [(0, -n % multiple) for n in image.shape]
        return np.pad(image, widths, constant_values=air / self.manifest.input.scale)


def _mirrored(image: NDArray[np.float32], mirror: bool) -> NDArray[np.float32]:
    """The image, flipped left-right if asked; contiguous, as the network wants it."""
    return np.ascontiguousarray(image[:, :, ::-1]) if mirror else image


def _paired(name: str) -> bool:
    """TG-263 names of paired organs end in _L or _R; averaging over the mirror image would mix the sides."""
    return name.endswith(("_L", "_R"))


def _touches_edge(inside: NDArray[np.bool_], start: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """True if the organ reaches a face of its crop behind which the image goes on."""
    for axis, (s, n, whole) in enumerate(zip(start, inside.shape, full, strict=True)):
        if n == 0:
            return False
        if s > 0 and inside.take(0, axis).any():
            return True
        if s + n < whole and inside.take(n - 1, axis).any():
            return True
    return False
