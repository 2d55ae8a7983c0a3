"""Measure the single-stage baseline of papers/002: MONAI's sliding window over the whole scan at the crop's spacing."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from safetensors.torch import load_file
from scipy import ndimage

from TwoStageSegLib.grid import Grid, place, sample
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.networks.unet import UNet
from TwoStageSegLib.region import Region

from .data.prepared import Case
from .measure import Row, measure_mask
from .recipes.recipe import Recipe
from .reference import mask_of, volume_of
from .tasks.base import normalise


@torch.inference_mode()
def evaluate_baseline(recipe: Recipe, weights: Path, cases: list[Case]) -> list[Row]:
    """One row per case and whole organ, way ``auto``: largest component of each channel above one half."""
    network = UNet(**recipe.unet(len(recipe.organs), recipe.segment_widths)).eval()
    network.load_state_dict(load_file(weights))
    rows = []
    for case in cases:
        started = time.perf_counter()
        volume = volume_of(case)
        geometry = volume.standard.geometry
        spacing = np.asarray(recipe.segment_spacing)
        shape = np.ceil(geometry.extent_zyx_mm / spacing).astype(int)
        middle = geometry.index_to_lps((np.asarray(geometry.shape_zyx) - 1) / 2)
        grid = Grid.centred(geometry, middle, spacing, shape)
        image = normalise(torch.from_numpy(sample(volume.standard.voxels, grid, case.air)), recipe)[None, None]
        with torch.autocast("cpu", torch.bfloat16):
            logits = sliding_window_inference(image, recipe.baseline_shape, 4, network, overlap=0.25, mode="gaussian")
        assert isinstance(logits, torch.Tensor)
        maps = logits[0].float().sigmoid().numpy()
        seconds = time.perf_counter() - started
        for i, organ in enumerate(recipe.organs):
            if not case.whole(organ):
                continue
            start, values = place(maps[i], grid, geometry.shape_zyx)
            labels, count = ndimage.label(values > 0.5, np.ones((3, 3, 3)))
            mask = None
            if count:
                mask = Mask(organ, labels == 1 + np.argmax(np.bincount(labels.ravel())[1:]), start, volume.geometry)
            row = measure_mask(case, organ, "auto", mask_of(case, organ, volume), Region.not_located(organ), mask)
            # one pass finds all organs: its seconds stand where a system's locating does, once per case
            rows.append(row | {"locate_s": round(seconds, 3), "segment_s": 0.0})
    return rows
