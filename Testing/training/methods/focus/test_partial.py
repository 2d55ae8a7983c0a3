"""S-Net's loss with organs that nobody contoured: their share counts as background's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.methods.focus.chunks import Chunks
from training.methods.focus.main import MainTask, _printed_weights, joined, main_loss, one_hot
from TwoStageSegLib.networks.snet import SNetOutput

LOGITS = torch.tensor([0.5, 1.0, -1.0, 2.0])


def at(values: torch.Tensor) -> torch.Tensor:
    return values.reshape(1, -1, 1, 1, 1)


def test_background_takes_the_share_of_what_is_unknown() -> None:
    known = torch.tensor([[True, True, False, True]])
    shares = joined(at(LOGITS), known).softmax(1).flatten()
    usual = LOGITS.softmax(0)
    assert shares[0] == pytest.approx(float(usual[0] + usual[2]), abs=1e-6)
    assert [float(shares[1]), float(shares[3])] == pytest.approx([float(usual[1]), float(usual[3])], abs=1e-6)
    assert shares[2] < 1e-9


def test_where_all_is_known_nothing_changes() -> None:
    assert joined(at(LOGITS), torch.ones(1, 4, dtype=torch.bool)).flatten().tolist() == pytest.approx(LOGITS.tolist())


@pytest.mark.parametrize("unknown", [True, False])
def test_an_unknown_organ_that_the_network_sees_costs_nothing(recipe, unknown) -> None:
    """S-Net is sure of the third organ where the labels say background: right if nobody contoured it, else wrong."""
    logits = torch.full((1, 4, 2, 2, 2), -12.0)
    logits[:, 3] = 12.0
    batch = {
        "labels": torch.zeros(1, 3, 2, 2, 2, dtype=torch.bool),
        "known": torch.tensor([[True, True, not unknown]]),
    }
    loss = main_loss(SNetOutput(logits, logits, logits), batch, (1.0,) * 4, replace(recipe, balance=0.0))
    assert float(loss) == pytest.approx(0.0 if unknown else 24.0, abs=1e-3)


def test_background_comes_first() -> None:
    labels = torch.zeros(1, 2, 1, 1, 2, dtype=torch.bool)
    labels[0, 1, 0, 0, 1] = True
    assert one_hot(labels)[0, :, 0, 0].tolist() == [[1, 0], [0, 0], [0, 1]]


def test_printed_weights_are_the_inverse_of_the_sizes(recipe, cases) -> None:
    """Brainstem 8 x 8 x 8 voxels, parotids 8 x 6 x 5, in chunks of 24 x 36 x 36 voxels."""
    sizes = np.array([24 * 36 * 36 - 992, 512, 240, 240])
    expected = 4 / sizes / (1 / sizes).sum()
    assert _printed_weights(recipe, Chunks(recipe, cases[0])) == pytest.approx(expected)
    assert MainTask(recipe, *cases).weights == (1.0,) * 4
