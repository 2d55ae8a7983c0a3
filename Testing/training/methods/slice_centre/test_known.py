"""What is not known of an organ teaches nothing: slices beyond a cut end, and which slices a task may draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from training.methods.slice_centre.chunk_task import ChunkTask, known_slices
from training.methods.slice_centre.flat_task import FlatTask
from training.methods.slice_centre.heat_task import HeatTask
from training.methods.slice_centre.slices import organ_slices

EXACT = np.zeros((5, 2))


class Given(nn.Module):
    """Answers with the same logits whatever it sees."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, x):
        return self.logits


def test_slices_beyond_a_cut_end(whole, others):
    slices = organ_slices(others["cut"], "Esophagus")  # 8..27
    known = known_slices(others["cut"], slices, 20, 16, "Esophagus")
    assert known.tolist() == [True] * 8 + [False] * 8
    assert known_slices(whole, slices, 20, 16, "Esophagus").all()


def test_unknown_slices_do_not_count_in_the_loss(others, tiny):
    task = ChunkTask("chunk", replace(tiny, chunk_slices=32), [others["cut"]], [], EXACT)
    batch = task.batch(np.random.default_rng(0))
    assert batch["known"][0, 0, :, 0, 0].sum() == 20  # a chunk of 32 slices around the contour's 20
    network = Given(torch.randn(batch["labels"].shape, generator=torch.Generator().manual_seed(0)))
    task.loss(network, batch).backward()
    unknown = ~batch["known"].expand_as(network.logits)
    assert float(network.logits.grad[unknown].abs().max()) == 0
    assert float(network.logits.grad[~unknown].abs().max()) > 0


def test_the_locator_learns_from_slices_with_and_without(whole, others, tiny):
    task = HeatTask(tiny, [whole, *others.values()], [])
    assert sorted(case.name for case, _, _ in task.shown) == ["cut", "validation"]
    assert sorted(case.name for case, _, _ in task.empty) == ["validation", "without"]
    batch = task.batch(np.random.default_rng(0))
    peaks = (batch["heat"] == 1).sum((1, 2, 3)).tolist()
    assert peaks == [1, 1, 0, 0]  # half of the batch shows the organ


def test_slices_without_the_organ_lie_next_to_its_ends(whole, tiny):
    """Up to twice 5 mm beyond the ends, 4 slices: 4..7 and 28..31."""
    task = FlatTask("segment", replace(tiny, empty=1.0, ends_mm=5.0), [whole], [], EXACT)
    slices, rng = organ_slices(whole, "Esophagus"), np.random.default_rng(0)
    assert {task._slice(whole, slices, rng) for _ in range(200)} == {4, 5, 6, 7, 28, 29, 30, 31}
    never = FlatTask("segment", tiny, [whole], [], EXACT)
    assert {never._slice(whole, slices, rng) for _ in range(300)} == set(slices.shows.tolist())


def test_a_turned_crop_keeps_its_slices(whole, tiny):
    """A quarter turn about z: the tube's 8 rows and 12 columns change places, and no slice mixes with its neighbour."""
    from training.methods.slice_centre.poses import plain_pose, random_flat_pose
    from training.sampling import draw

    turned = replace(tiny, poses=replace(tiny.poses, rotation_deg=90.0))
    plain = plain_pose(whole, 8, 1, organ_slices(whole, "Esophagus").centre_at(8), 32, 2.0)

    class Always:
        def normal(self, mean, sd):
            return sd

        def uniform(self, low, high, size=None):
            return np.full(size, low) if size else low

    crop = draw(whole, random_flat_pose(plain, turned, Always()), ("Esophagus",))
    assert (crop.labels[0, 0] > 0.5).any(1).sum() == 12 and (crop.labels[0, 0] > 0.5).any(0).sum() == 8
    assert float(crop.labels.sum()) > 90  # slice 8 is the first: a mix with slice 7 would halve it
