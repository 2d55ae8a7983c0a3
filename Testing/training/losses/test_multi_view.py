"""Weighted cross-entropy and generalised Dice of papers/003: as meant and as printed."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses.multi_view import class_weights, generalised_dice, printed_weights, weighted_cross_entropy


def test_weights_from_counts_by_hand():
    """90, 9 and 1 voxels: 10/90, 91/9 and 99; at most 100 * 10/90 = 11.1; then mean 1."""
    raw = [10 / 90, 91 / 9, 100 * 10 / 90]
    expected = [w / (sum(raw) / 3) for w in raw]
    assert class_weights([90, 9, 1]).tolist() == pytest.approx(expected, rel=1e-6)
    unbounded = class_weights([90, 9, 1], most=1e9)
    assert float(unbounded[2] / unbounded[0]) == pytest.approx(99 * 9, rel=1e-5)


def test_a_class_without_voxels_cannot_be_weighed():
    with pytest.raises(ValueError, match="class 1 has no voxels"):
        class_weights([90, 0, 1])


def test_weighted_cross_entropy_divides_by_the_pixels_not_the_weights():
    logits = torch.zeros(1, 2, 1, 4)
    labels = torch.tensor([[[0, 0, 0, 1]]])
    found = weighted_cross_entropy(logits, labels, torch.tensor([0.5, 4.0]))
    assert float(found) == pytest.approx((3 * 0.5 + 4) * math.log(2) / 4, rel=1e-6)


def test_weights_as_printed_come_from_the_predictions_and_have_no_gradient():
    logits = torch.log(torch.tensor([[[0.9, 0.7], [0.1, 0.3]]])).requires_grad_()  # (1, 2 classes, 2 pixels)
    weights = printed_weights(logits)
    assert weights.tolist() == pytest.approx([0.4 / 1.6, 1.6 / 0.4], rel=1e-5)
    assert not weights.requires_grad
    labels = torch.tensor([[0, 1]])
    expected = -(0.25 * math.log(0.9) + 4 * math.log(0.3)) / 2
    assert float(weighted_cross_entropy(logits, labels).detach()) == pytest.approx(expected, rel=1e-5)


def test_generalised_dice_of_one_organ_by_hand():
    """Eight voxels, p = 1/2, two of them organ: w = 1/4 and 1/36.

    G = 2 (w1 * 1 + w0 * 3) / (w1 * (2 + 4) + w0 * (6 + 4)) = 2 * (1/4 + 1/12) / (3/2 + 10/36)
    """
    target = torch.zeros(1, 1, 2, 2, 2)
    target[..., 0, 0] = 1
    g = 2 * (1 / 4 + 1 / 12) / (3 / 2 + 10 / 36)
    logits = torch.zeros_like(target)
    assert float(generalised_dice(logits, target)) == pytest.approx(1 - g, rel=1e-5)
    assert float(generalised_dice(logits, target, as_printed=True)) == pytest.approx(1 - g / 2, rel=1e-5)


def test_generalised_dice_of_many_classes_and_its_printed_minimum():
    torch.manual_seed(0)
    labels = torch.randint(0, 10, (2, 6, 7, 8))
    target = torch.nn.functional.one_hot(labels, 10).permute(0, 4, 1, 2, 3).float()
    assert float(generalised_dice(30 * target, target)) == pytest.approx(0.0, abs=1e-5)
    assert float(generalised_dice(30 * target, target, as_printed=True)) == pytest.approx(0.9, abs=1e-5)
    logits = torch.randn(2, 10, 6, 7, 8)
    p, w = logits.softmax(1), 1 / target.sum((2, 3, 4)) ** 2
    g = 2 * (w * (p * target).sum((2, 3, 4))).sum(1) / (w * (p + target).sum((2, 3, 4))).sum(1)
    assert float(generalised_dice(logits, target)) == pytest.approx(float((1 - g).mean()), abs=1e-6)


def test_a_large_organ_does_not_drown_in_the_smoothing():
    """200,000 voxels, all missed: with MONAI's own smoothing of 1e-5 this loss would be about 0.3."""
    target = torch.zeros(1, 1, 60, 80, 100)
    target[:, :, :50, :80, :50] = 1
    assert float(generalised_dice(torch.full_like(target, -20.0), target)) > 0.4
    assert float(generalised_dice(40 * target - 20, target)) < 1e-3


def test_a_crop_without_the_organ_still_punishes_what_is_drawn():
    target = torch.zeros(1, 1, 4, 4, 4)
    logits = torch.zeros_like(target, requires_grad=True)
    loss = generalised_dice(logits, target)
    loss.backward()
    assert float(loss.detach()) > 0.1
    assert float(logits.grad.min()) > 0
