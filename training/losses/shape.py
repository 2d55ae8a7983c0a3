"""The adversarial shape loss of ``focus`` (Gao, papers/004, section 3.3): two sides, two signs.

The segmenter G makes its masks' codes like those of the true masks; the autoencoder D reconstructs both and tells their
codes apart. Equation 8 prints D's side as a maximum of ``-L_rec + 0.001 L_shape``; here D minimises
``L_rec - 0.001 L_shape``, which is the same. All distances are means over elements: the weights depend on that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from TwoStageSegLib.networks.shape_autoencoder import ShapeCode

EPSILON = 1e-8


@dataclass(frozen=True)
class Adversary:
    """Weights of the two sides.

    segmenter, autoencoder : of the distances of latent code, low map, high map. mask : of the distance of the
    reconstructed masks, in the segmenter's loss. rebuild : of the reconstruction, in the autoencoder's.
    scale_free : distances as parts of the codes' own mean squares. As printed, the autoencoder can raise them without
    end by making all codes larger (seen: 9 after 300 steps, 8800 after 600), and nothing else is learned any more.
    """

    segmenter: tuple[float, float, float] = (5.0, 5.0, 5.0)
    mask: float = 0.0
    autoencoder: tuple[float, float, float] = (0.001, 0.001, 0.001)
    rebuild: float = 1.0
    scale_free: bool = False


SCALE_FREE = Adversary(scale_free=True)
PAPER = Adversary()
PUBLISHED_CODE = Adversary((5.0, 1.0, 1.0), 1.0, (0.001, 0.0002, 0.0002), 0.999)
PLAIN = Adversary(autoencoder=(0.0, 0.0, 0.0))
"""Table 6's "origin AE": the autoencoder only reconstructs (true masks, fixed afterwards)."""


def shape_distance(
    predicted: ShapeCode, true: ShapeCode, weights: tuple[float, float, float], scale_free: bool = False
) -> Tensor:
    """Equation 5: weighted mean squared distances of latent code and decoder maps.

    ``scale_free``: each divided by the sum of both codes' mean squares, so between 0 and 2 before its weight.
    """
    pairs = ((predicted.latent, true.latent), (predicted.low, true.low), (predicted.high, true.high))
    terms = [w * _distance(a.float(), b.float(), scale_free) for w, (a, b) in zip(weights, pairs, strict=True)]
    return terms[0] + terms[1] + terms[2]


def _distance(a: Tensor, b: Tensor, scale_free: bool) -> Tensor:
    distance = F.mse_loss(a, b)
    return distance / (a.square().mean() + b.square().mean() + EPSILON) if scale_free else distance


def segmenter_shape_loss(predicted: ShapeCode, true: ShapeCode, adversary: Adversary = PAPER) -> Tensor:
    """What equation 7 adds to the segmenter's own loss, to be minimised.

    ``predicted`` is the code of G's soft mask with its gradient; the autoencoder's parameters must not be stepped.
    """
    loss = shape_distance(predicted, true, adversary.segmenter, adversary.scale_free)
    return loss + adversary.mask * F.mse_loss(predicted.mask.float(), true.mask.float())


def autoencoder_loss(
    predicted: ShapeCode,
    true: ShapeCode,
    predicted_mask: Tensor,
    true_mask: Tensor,
    adversary: Adversary = PAPER,
) -> Tensor:
    """Equations 4 and 8: reconstruct both masks, tell their codes apart; to be minimised by the autoencoder.

    The codes are of masks ``(n, 1, d, h, w)`` in 0..1; the predicted one is detached from G, or G would be pushed
    away from the truth.
    """
    rebuilt = F.mse_loss(true.mask.float(), true_mask) + F.mse_loss(predicted.mask.float(), predicted_mask)
    return adversary.rebuild * rebuilt - shape_distance(predicted, true, adversary.autoencoder, adversary.scale_free)
