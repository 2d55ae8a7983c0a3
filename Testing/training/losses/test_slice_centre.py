"""CenterNet's focal loss by hand; Dice + alpha * focal and the rule for alpha."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses.slice_centre import centre_focal, dice_focal, next_alpha


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_centre_focal_by_hand():
    """One centre at p = 0.8, a neighbour with y = 0.5 and p = 0.6, background with p = 0.1."""
    logits = torch.tensor([[[[logit(0.8), logit(0.6), logit(0.1)]]]])
    target = torch.tensor([[[[1.0, 0.5, 0.0]]]])
    expected = -(0.2**2 * math.log(0.8) + 0.5**4 * 0.6**2 * math.log(0.4) + 0.1**2 * math.log(0.9))
    assert float(centre_focal(logits, target)) == pytest.approx(expected, rel=1e-5)


def test_centre_focal_is_per_centre_and_finite_without_one():
    logits, target = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    # 32 cells of background at p = 1/2: 32 * 0.25 * ln 2, divided by 1
    assert float(centre_focal(logits, target)) == pytest.approx(8 * math.log(2), rel=1e-5)
    target[:, 0, 1, 1] = 1
    # two centres at p = 1/2 weigh as much as background there; divided by 2
    assert float(centre_focal(logits, target)) == pytest.approx(4 * math.log(2), rel=1e-5)


def test_centre_focal_of_a_sure_mistake_is_finite_and_has_a_gradient():
    logits = torch.tensor([[[[-9.0, 8.0]]]], requires_grad=True)
    centre_focal(logits, torch.tensor([[[[1.0, 0.0]]]])).backward()
    assert torch.isfinite(logits.grad).all()
    assert float(logits.grad[0, 0, 0, 0]) < 0 < float(logits.grad[0, 0, 0, 1])


def test_dice_and_focal_by_hand():
    """p = 1/2 on four pixels, two of them the organ: Dice loss 1 - 2/4; focal (1/2)^2 ln 2."""
    logits = torch.zeros(1, 1, 2, 2)
    target = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    for alpha in (1.0, 3.0):
        found = float(dice_focal(alpha)(logits, target))
        assert found == pytest.approx(0.5 + alpha * 0.25 * math.log(2), abs=1e-4)


def test_a_model_that_predicts_too_little_gets_more_focal_loss():
    assert next_alpha(1.0, 0.8) == 1.25
    assert next_alpha(1.0, 1.2) == 0.8
    assert next_alpha(1.0, 0.9) == next_alpha(1.0, 1.1) == 1.0
    assert next_alpha(4.0, 0.1) == 4.0
    assert next_alpha(0.25, 9.0) == 0.25
