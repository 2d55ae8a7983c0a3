"""Focal + Dice and heatmap L2 of papers/004, and the two signs of its shape loss."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses.focus import focal_and_dice, heatmap_l2, size_weights
from training.losses.shape import (
    PAPER,
    PLAIN,
    PUBLISHED_CODE,
    ShapeCode,
    autoencoder_loss,
    segmenter_shape_loss,
    shape_distance,
)


def one_hot(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, classes).movedim(-1, 1).float()


def test_weights_are_inverse_to_the_size():
    assert size_weights((100.0, 50.0, 25.0)) == pytest.approx((3 / 7, 6 / 7, 12 / 7))


def test_focal_and_dice_by_hand():
    """Two classes at p = 1/2, four voxels, one of class 1.

    Focal: alpha * (1/2)^2 ln 2 at each voxel of its own class; Dice 1 - 3/5 and 1 - 1/3.
    """
    target = one_hot(torch.tensor([[[[0, 0], [0, 1]]]]), 2)
    logits = torch.zeros_like(target)
    focal = 0.25 * math.log(2) * (3 * 0.5 + 1 * 1.5) / 4
    dice = (1 - 3 / 5) + (1 - 1 / 3)
    found = focal_and_dice(logits, target, (0.5, 1.5), balance=0.2)
    assert float(found) == pytest.approx(focal + 0.2 * dice, abs=1e-4)


def test_it_is_monais_losses_times_the_number_of_classes():
    losses = pytest.importorskip("monai.losses")
    torch.manual_seed(0)
    target, logits, weight = (
        one_hot(torch.randint(0, 5, (2, 3, 8, 8)), 5),
        torch.randn(2, 5, 3, 8, 8),
        (0.5, 1, 1, 2, 4),
    )
    theirs = losses.FocalLoss(gamma=2.0, weight=weight, use_softmax=True)(logits, target)
    theirs += losses.DiceLoss(softmax=True)(logits, target)
    assert float(focal_and_dice(logits, target, weight)) == pytest.approx(5 * float(theirs), rel=1e-5)


def test_an_organ_nobody_contoured_has_no_term():
    torch.manual_seed(0)
    target, logits = one_hot(torch.randint(0, 3, (2, 2, 4, 4)), 3), torch.randn(2, 3, 2, 4, 4)
    all_of_it = focal_and_dice(logits, target, (1.0, 1.0, 1.0))
    known = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    missing = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    with_known = focal_and_dice(logits, target, (1.0, 1.0, 1.0), known)
    rest = focal_and_dice(logits, target, (1.0, 1.0, 1.0), missing)
    assert float(with_known + rest) == pytest.approx(float(all_of_it), rel=1e-5)
    assert float(rest) > 0.1


def test_heatmap_l2_by_hand_and_without_unknown_maps():
    logits = torch.zeros(1, 2, 1, 1, 2)
    target = torch.tensor([[[[[1.0, 0.5]]], [[[0.0, 0.0]]]]])
    assert float(heatmap_l2(logits, target)) == pytest.approx((0.25 + 0 + 0.25 + 0.25) / 4)
    assert float(heatmap_l2(logits, target, torch.tensor([[1, 0]]))) == pytest.approx(0.125)
    assert float(heatmap_l2(logits, target, torch.tensor([[0, 0]]))) == 0.0


def code(value: float) -> ShapeCode:
    """Latent ``value``, low map twice, high map three times, reconstruction a tenth of it."""
    full = torch.full
    return ShapeCode(
        full((1, 4), value),
        full((1, 2, 1, 2, 2), 2 * value),
        full((1, 2, 2, 4, 4), 3 * value),
        full((1, 1, 4, 8, 8), value / 10),
    )


def test_scale_free_distances_cannot_be_raised_by_larger_codes():
    """Codes of 2 and of 1 everywhere: ((2-1)^2) / (4 + 1) = 0.2 for each of the three; the same for 200 and 100."""
    assert float(shape_distance(code(2.0), code(1.0), (1.0, 1.0, 1.0), True)) == pytest.approx(0.6)
    for factor in (1.0, 100.0):
        found = shape_distance(code(2.0 * factor), code(factor), (1.0, 0.0, 0.0), True)
        assert float(found) == pytest.approx(0.2, rel=1e-5)
    assert float(shape_distance(code(1.0), code(-1.0), (1.0, 0.0, 0.0), True)) == pytest.approx(2.0)  # the most


def test_shape_distance_by_hand():
    """Differences 1, 2 and 3 squared: 1, 4 and 9, means over elements."""
    assert float(shape_distance(code(2.0), code(1.0), (1.0, 1.0, 1.0))) == pytest.approx(14.0)
    assert float(shape_distance(code(2.0), code(1.0), (1.0, 0.5, 0.0))) == pytest.approx(3.0)


def test_the_segmenter_minimises_the_distance():
    assert float(segmenter_shape_loss(code(2.0), code(1.0))) == pytest.approx(5 * 14.0)
    published = 5 * 1 + 1 * 4 + 1 * 9 + 0.1**2
    assert float(segmenter_shape_loss(code(2.0), code(1.0), PUBLISHED_CODE)) == pytest.approx(published)


def test_the_autoencoder_rebuilds_and_maximises_the_distance():
    """Reconstructions 0.2 and 0.1 of masks that are 0 and 1 everywhere: 0.04 + 0.81."""
    masks = torch.zeros(1, 1, 4, 8, 8), torch.ones(1, 1, 4, 8, 8)
    rebuilt = 0.2**2 + 0.9**2
    found = autoencoder_loss(code(2.0), code(1.0), *masks)
    assert float(found) == pytest.approx(rebuilt - 0.001 * 14)
    found = autoencoder_loss(code(2.0), code(1.0), *masks, PUBLISHED_CODE)
    assert float(found) == pytest.approx(0.999 * rebuilt - 0.001 * (1 + 0.2 * 4 + 0.2 * 9))
    assert float(autoencoder_loss(code(2.0), code(1.0), *masks, PLAIN)) == pytest.approx(rebuilt)


def test_a_step_of_each_side_moves_the_distance_its_way():
    """The segmenter pulls its code towards the truth, the autoencoder pushes them apart."""
    predicted, true = torch.tensor([[2.0]], requires_grad=True), torch.tensor([[1.0]])
    rest = torch.zeros(1, 1, 1, 1, 1)
    a, b = ShapeCode(predicted, rest, rest, rest), ShapeCode(true, rest, rest, rest)
    segmenter_shape_loss(a, b).backward()
    assert float(predicted.grad) == pytest.approx(2 * PAPER.segmenter[0])  # downhill is towards 1
    predicted.grad = None
    autoencoder_loss(a, b, rest, rest).backward()
    assert float(predicted.grad) == pytest.approx(-2 * PAPER.autoencoder[0])
