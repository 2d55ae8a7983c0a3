"""How a segmenter is scored in training: the engine draws whole organs, and every voxel of the contour counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from training.methods.slice_centre.flat_task import FlatTask
from TwoStageSegLib.networks.blocks import Network

CPU = torch.device("cpu")


class Constant(Network):
    """Says the same of every pixel."""

    def __init__(self, logit: float):
        super().__init__()
        self.logit, self.anything = logit, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.full_like(x, self.logit)


def task(recipe, case, off_mm: float = 0.0) -> FlatTask:
    return FlatTask("segment", recipe, [case], [case], np.tile([off_mm, 0.0], (5, 1)))


def test_everything_drawn(whole, tiny):
    """Crops of 64 x 64 mm are 16 x 16 voxels in 20 slices: Dice 2 * 24 / (24 + 256)."""
    scores = task(tiny, whole).validate(Constant(10.0), CPU)
    assert scores["score"] == pytest.approx(2 * 24 / 280, rel=0.1)
    assert scores["ratio"] == pytest.approx(256 / 24, rel=0.15)


def test_what_no_crop_reaches_is_missed(whole, tiny):
    """Crops 44 mm away hold nothing of the tube, which is then missed, not left out."""
    scores = task(tiny, whole, off_mm=44.0).validate(Constant(10.0), CPU)
    assert scores["score"] == 0


def test_alpha_follows_the_volume_ratio_if_asked_to(whole, tiny):
    ruled = task(replace(tiny, alpha_rule=True), whole)
    assert ruled.validate(Constant(-10.0), CPU)["alpha"] == 1.25  # nothing drawn
    assert ruled.validate(Constant(10.0), CPU)["alpha"] == 1.0
    assert task(tiny, whole).validate(Constant(-10.0), CPU)["alpha"] == 1.0
