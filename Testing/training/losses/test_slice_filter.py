"""The CR loss of papers/001 against its own equations."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses.slice_filter import combined_regularisation


def test_by_hand():
    """p = 1/2 for both classes on four pixels, two of them target.

    Dice of the foreground 2 * 1 / (2 + 2) = 1/2; cross-entropy ln 2; mean of -log p ln 2.
    """
    labels = torch.tensor([[[[1, 1], [0, 0]]]])
    found = combined_regularisation()(torch.zeros(1, 2, 2, 2), labels)
    assert float(found) == pytest.approx(0.5 + math.log(2), abs=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.4])
def test_equals_the_equations(alpha):
    """Equations 5, 6 and 8 written out, with the published code's foreground Dice and without equation 7's 1/K."""
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 2, 8, 9), torch.randint(0, 2, (3, 1, 8, 9))
    p = logits.softmax(1)
    true = torch.cat((1 - labels, labels), 1)
    overlap, total = (p * true)[:, 1].sum((1, 2)), (p + true)[:, 1].sum((1, 2))
    dice = (1 - 2 * overlap / total).mean()
    entropy = -(true * p.log()).sum(1).mean()
    epsilon = -p.log().mean()
    expected = dice + (1 - alpha) * entropy + alpha * epsilon
    assert float(combined_regularisation(alpha)(logits, labels)) == pytest.approx(float(expected), abs=1e-5)
