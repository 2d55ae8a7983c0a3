"""Group norm of several voxels at once: at least as close to the exact one as torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.catalogue import ARCHITECTURES
from TwoStageSegLib.systems.half import bf16_copy
from TwoStageSegLib.systems.narrow_norm import NarrowGroupNorm, is_slow, voxels_together

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def norm_of(channels: int, groups: int = 8, affine: bool = True) -> nn.GroupNorm:
    norm = nn.GroupNorm(groups, channels, affine=affine)
    if affine:
        nn.init.uniform_(norm.weight, 0.5, 2.0)
        nn.init.normal_(norm.bias)
    return norm.requires_grad_(False)


def image(shape: tuple[int, ...], mean: float) -> Tensor:
    """Noise with another mean and spread in every channel."""
    per_channel = (1, shape[1], *(1,) * (len(shape) - 2))
    x = torch.randn(shape) * (0.2 + torch.rand(per_channel)) + mean * torch.randn(per_channel)
    return x.bfloat16().contiguous(memory_format=LAYOUTS[len(shape)])


def exact(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    """The definition, in double precision and the plain layout."""
    parts = x.double().contiguous().view(x.shape[0], norm.num_groups, -1)
    parts = (parts - parts.mean(2, keepdim=True)) / (parts.var(2, correction=0, keepdim=True) + norm.eps).sqrt()
    columns = (1, -1, *(1,) * (x.ndim - 2))
    scaled = parts.view(x.shape)
    return scaled if norm.weight is None else scaled * norm.weight.view(columns) + norm.bias.view(columns)


@pytest.mark.parametrize("mean", [0.0, 3.0])
@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((1, 24, 16, 8, 8), 8),
        ((2, 24, 12, 16, 6), 8),  # two samples, each with its own mean
        ((1, 8, 16, 8, 8), 4),
        ((3, 12, 32, 32), 3),  # slices
        ((1, 40, 8, 16, 16), 8),
        ((1, 96, 10, 8, 8), 8),  # few voxels
        ((1, 96, 4, 4, 4), 8),  # so few that it is not worth it
        ((1, 24, 13, 15, 17), 8),  # cannot be taken four at a time: torch's own
    ],
)
def test_is_the_exact_norm_rounded(shape: tuple[int, ...], groups: int, mean: float) -> None:
    torch.manual_seed(len(shape) * shape[1])
    norm, x = norm_of(shape[1], groups), image(shape, mean)
    with torch.inference_mode():
        got, theirs = NarrowGroupNorm(norm)(x), norm(x)
    wanted = exact(norm, x)
    assert got.dtype == torch.bfloat16 and got.shape == x.shape
    assert got.is_contiguous(memory_format=LAYOUTS[x.ndim])
    error = (got.double() - wanted).abs()
    assert bool((error <= wanted.abs() * 2.0**-8 + 1e-4 + (0.02 if mean else 0.004)).all())
    # and not further from it than torch's
    assert float(error.mean()) <= float((theirs.double() - wanted).abs().mean()) * 1.02


def test_without_an_affine_part_and_in_full_precision() -> None:
    torch.manual_seed(5)
    norm, x = norm_of(24, affine=False), image((1, 24, 8, 8, 8), 1.0)
    with torch.inference_mode():
        torch.testing.assert_close(NarrowGroupNorm(norm)(x).double(), exact(norm, x), atol=0.02, rtol=2.0**-8)
        full = x.float()
        assert torch.equal(NarrowGroupNorm(norm)(full), norm(full))


def test_takes_whole_registers() -> None:
    assert [voxels_together(c, 4096) for c in (8, 12, 16, 24, 32, 40, 48)] == [4, 8, 2, 4, 1, 4, 2]
    assert voxels_together(24, 4095) == 0


def test_only_where_torch_is_slow() -> None:
    many, few = 4096, 640
    assert [is_slow(norm_of(c), many) for c in (8, 24, 40, 16, 32, 48, 96)] == [True] * 3 + [False] * 4
    assert [is_slow(norm_of(c), few) for c in (96, 128, 48, 24)] == [True, False, False, False]


def test_a_network_with_24_channels_stays_within_the_rounding_of_bf16() -> None:
    torch.manual_seed(3)
    network = ARCHITECTURES["unet"](widths=(24, 48), outputs=2).eval()
    twin, x = bf16_copy(network), torch.randn(1, 1, 16, 16, 16)
    assert any(isinstance(m, NarrowGroupNorm) for m in twin.modules())
    assert not any(isinstance(m, NarrowGroupNorm) for m in network.modules())
    with torch.inference_mode():
        full = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            autocast, ours = network(x).float(), twin(x).float()
    of_autocast, of_ours = ((y - full).square().mean().sqrt() for y in (autocast, ours))
    assert 0 < float(of_ours) < 1.2 * float(of_autocast) < 0.1 * float(full.std())
