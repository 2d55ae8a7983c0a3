"""One slice as a training sample: turned, zoomed, moved, erased and noisy, with one interpolation from the scan.

The paper's augmentations (section 4.2, numbers from its published code): random erasure, zooming, rotation, vertical
flip, salt-and-pepper noise. Its elastic distortion is left out: stretching along the axes is in its place. Added:
scanner differences, surroundings, and the field's jitter, since the body's middle is found less exactly in a user's
scan.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...augment import PoseRange, intensity, rotation_matrix
from ...surroundings import paint
from ...tasks.base import Batch, normalise
from .recipe import SliceFilterRecipe
from .slices import Sliced

Window = tuple[NDArray[np.float64], NDArray[np.float64]]
"""First and last index (y, x) of what is left of a slice, its voxels' outer faces."""

SALTED = 0.02
"""Largest part of the pixels that salt-and-pepper noise takes (not stated in the paper)."""


def plain(pixels: tuple[int, int], pixel_mm: float) -> NDArray[np.float64]:
    """Offsets (H, W, 2) of the pixels' centres from the field's middle, mm along y, x."""
    y, x = ((np.arange(n) - (n - 1) / 2) * pixel_mm for n in pixels)
    return np.stack(np.meshgrid(y, x, indexing="ij"), -1)


def posed(offsets_mm: NDArray[np.float64], poses: PoseRange, rng: np.random.Generator) -> NDArray[np.float64]:
    """The same offsets in a random pose; only its part in plane."""
    angle = np.deg2rad(np.clip(rng.normal(0, poses.rotation_deg), -2.5 * poses.rotation_deg, 2.5 * poses.rotation_deg))
    scale = rng.uniform(*poses.scale) * rng.uniform(1 - poses.stretch, 1 + poses.stretch, 2)
    shift = rng.normal(0, poses.shift_mm, 2)
    turn = rotation_matrix(np.array([angle, 0.0, 0.0]))[1:, 1:] * scale
    return offsets_mm @ turn.T + shift


def whole(shape: tuple[int, ...]) -> Window:
    """The window of a whole slice of ``shape`` voxels (y, x)."""
    return np.full(2, -0.5), np.asarray(shape, float) - 0.5


def erased(s: Sliced, recipe: SliceFilterRecipe, rng: np.random.Generator) -> Window:
    """What random erasure leaves of a slice: each side may lose a strip, the organ's box stays.

    Where images were cropped at a fixed distance around the organ this is what keeps a network from reading the
    answer off the image's border. The box is that of the whole organ, so that slices without it lose no more.
    """
    first, last = whole(s.case.ct.shape[1:])
    spacing = np.asarray(s.case.spacing_zyx_mm)[1:]
    middle = np.asarray(s.middle)
    low, high = s.box if s.box is not None else (middle, middle)
    cut = rng.uniform(0, recipe.erase_mm, (2, 2)) * (rng.random((2, 2)) < recipe.erase) / spacing
    return first + np.clip(cut[0], 0, np.maximum(low - first, 0)), last - np.clip(cut[1], 0, np.maximum(last - high, 0))


def taken(s: Sliced, z: int, offsets_mm: NDArray[np.float64], window: Window) -> tuple[Tensor, Tensor, Tensor]:
    """HU, organ (0..1) and distance outside the body (mm) at the offsets around the body's middle: (H, W) each.

    As the engine samples: linearly between voxels, the outermost voxel up to its face, air beyond.
    """
    shape = np.asarray(s.case.ct.shape[1:])
    index = np.asarray(s.middle) + offsets_mm / np.asarray(s.case.spacing_zyx_mm)[1:]
    beyond = torch.from_numpy(((index < window[0] - 1e-6) | (index > window[1] + 1e-6)).any(-1))
    planes = [s.ct[z], s.mask(z), s.case.outside[z]]
    stack = torch.from_numpy(np.stack([p.astype(np.float32) for p in planes]))[None]
    unit = torch.from_numpy((2 * index / np.maximum(shape - 1, 1) - 1)[..., ::-1].astype(np.float32))[None]
    ct, organ, outside = F.grid_sample(stack, unit, padding_mode="border", align_corners=True)[0]
    ct = ct.masked_fill(beyond, s.case.air)
    return ct, organ.masked_fill(beyond, 0.0), torch.where(beyond, outside.clamp(min=1.0), outside)


def augmented(s: Sliced, z: int, pixels: tuple[int, int], pixel_mm: float, r: SliceFilterRecipe, rng) -> Batch:
    """A training sample of slice ``z``: ``image`` and ``organ`` (0 or 1), both (1, H, W)."""
    offsets = posed(plain(pixels, pixel_mm), r.poses, rng)
    ct, organ, outside = taken(s, z, offsets, erased(s, r, rng))
    if r.surroundings:
        back_mm = (s.back - s.middle[0]) * s.case.spacing_zyx_mm[1] + pixels[0] * pixel_mm / 2
        ct = paint(ct[None], outside[None], (s.case.spacing_zyx_mm[0], pixel_mm, pixel_mm), back_mm, rng)[0]
    image = salted(normalise(intensity(ct[None], rng, r.intensities), r), r, rng)
    sample = {"image": image, "organ": (organ > 0.5).float()[None]}
    turned = [-1] * (r.mirror and rng.random() < 0.5) + [-2] * (rng.random() < r.flip)
    return {key: value.flip(turned) for key, value in sample.items()} if turned else sample


def salted(image: Tensor, r: SliceFilterRecipe, rng: np.random.Generator) -> Tensor:
    """With probability ``salt``: some pixels as dark or as bright as can be."""
    if rng.random() >= r.salt:
        return image
    part = rng.uniform(0, SALTED)
    noise = torch.from_numpy(rng.random(image.shape, np.float32))
    low, high = ((v - r.centre) / r.scale for v in r.clip)
    return image.masked_fill(noise < part / 2, low).masked_fill(noise > 1 - part / 2, high)
