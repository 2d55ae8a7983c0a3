"""Losses against closed form and against MONAI."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses import cross_entropy, dice_loss, known_weight, positive_cross_entropy


def test_dice_loss_closed_form() -> None:
    logits = torch.zeros(1, 1, 2, 2, 2)  # p = 0.5 everywhere
    target = torch.zeros(1, 1, 2, 2, 2)
    target[..., 0] = 1  # 4 of 8 voxels
    # 2 * (0.5 * 4) / (0.5 * 8 + 4) = 0.5
    assert float(dice_loss(logits, target, torch.ones(1, 1))) == pytest.approx(0.5, abs=1e-5)


def test_cross_entropy_closed_form() -> None:
    logits = torch.full((1, 1, 1, 1, 2), math.log(3.0))  # p = 0.75
    target = torch.tensor([[[[[1.0, 0.0]]]]])
    expected = -(math.log(0.75) + math.log(0.25)) / 2
    assert float(cross_entropy(logits, target, torch.ones(1, 1))) == pytest.approx(expected, rel=1e-6)


def test_positive_cross_entropy_ignores_the_background() -> None:
    logits = torch.full((1, 1, 1, 1, 2), math.log(3.0))
    target = torch.tensor([[[[[1.0, 0.0]]]]])
    assert float(positive_cross_entropy(logits, target, torch.ones(1, 1))) == pytest.approx(-math.log(0.75), rel=1e-6)


def test_unknown_organ_has_no_influence() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 4, 4, requires_grad=True)
    target = (torch.rand(2, 3, 4, 4, 4) > 0.7).float()
    known = torch.tensor([[True, True, False], [True, False, True]])
    weight = known_weight(known)
    torch.autograd.backward(dice_loss(logits, target, weight) + cross_entropy(logits, target, weight))
    assert logits.grad is not None
    assert float(logits.grad[0, 2].abs().max()) == 0.0
    assert float(logits.grad[1, 1].abs().max()) == 0.0
    assert float(logits.grad[0, 0].abs().max()) > 0.0


def test_equals_monai_when_everything_is_known() -> None:
    losses = pytest.importorskip("monai.losses")
    torch.manual_seed(1)
    logits = torch.randn(2, 3, 5, 6, 7)
    target = (torch.rand(2, 3, 5, 6, 7) > 0.6).float()
    theirs = losses.DiceLoss(sigmoid=True, smooth_nr=1e-5, smooth_dr=1e-5)(logits, target)
    ours = dice_loss(logits, target, torch.ones(2, 3))
    assert float(ours) == pytest.approx(float(theirs), abs=1e-6)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    assert float(cross_entropy(logits, target, torch.ones(2, 3))) == pytest.approx(float(bce), abs=1e-5)


def test_known_weight_favours_the_main_channel() -> None:
    known = torch.tensor([[True, True, False]])
    assert known_weight(known, main=1).tolist() == [[pytest.approx(0.3), 1.0, 0.0]]
