"""Organs that nobody contoured are neither background nor organ in the views' loss."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.data.prepared import ORGANS, load_cases
from training.losses.multi_view import weighted_cross_entropy
from training.methods.multi_view.coarse import UNKNOWN
from training.methods.multi_view.partial import class_voxels, known_only


def test_an_unknown_class_gets_no_gradient():
    logits = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    known = torch.tensor([[True, False, True], [True, True, True]])
    labels = torch.zeros(2, 5, 5, dtype=torch.long)
    weighted_cross_entropy(known_only(logits, known), labels, torch.ones(4)).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 2] == 0).all() and (logits.grad[0, [0, 1, 3]] != 0).all()
    assert (logits.grad[1] != 0).all()


def test_probabilities_are_over_the_known_classes():
    """Logits of 0 everywhere: of three known classes each has a third."""
    p = known_only(torch.zeros(1, 4, 2, 2, 2), torch.tensor([[True, False, True]])).softmax(1)
    assert p[0, :, 0, 0, 0].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])


def test_voxels_without_a_label_have_no_loss():
    """-log(1/2) in one of two voxels, nothing in the other: half of log 2 in the mean."""
    labels = torch.tensor([[1, UNKNOWN]])
    loss = weighted_cross_entropy(torch.zeros(1, 2, 2), labels, torch.ones(2))
    assert float(loss) == pytest.approx(0.5 * 0.6931472)


def test_an_organ_is_counted_where_it_was_contoured(prepared):
    """Parotids are missing in one of the three cases; a voxel of 2.5 x 4 x 4 mm is 40 / 64 of one of 4 mm."""
    cases = load_cases(prepared, "train")
    counts = class_voxels(cases, ("Brainstem", "Parotid_R", "Larynx"), (4.0, 4.0, 4.0), 10_000)
    assert counts == pytest.approx([10_000 - 320 - 150 - 1, 8 * 8 * 8 * 0.625, 8 * 6 * 5 * 0.625, 1.0])
    none = [replace(case, known={}) for case in cases]
    assert class_voxels(none, ORGANS, (4.0, 4.0, 4.0), 100) == [93.0, *[1.0] * 7]
