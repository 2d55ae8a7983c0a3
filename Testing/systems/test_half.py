"""The CPU's bf16 copy of a network gives the same numbers as autocast: bit for bit, but for norms of its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from TwoStageSegLib.networks.blocks import Network
from TwoStageSegLib.networks.catalogue import ARCHITECTURES
from TwoStageSegLib.systems.half import BlockMaximum, SignReLU, bf16_copy
from TwoStageSegLib.systems.runner import joined

NETWORKS = {
    "unet": ({"widths": (16, 32), "outputs": 2}, (1, 1, 8, 8, 8)),
    "unet, patches": ({"widths": (16, 32), "outputs": 2, "patch": 2}, (2, 1, 8, 8, 8)),
    "unet, slices, batch norm": ({"dims": 2, "widths": (8, 16), "norm": "batch"}, (2, 1, 16, 16)),
    "seunet": ({"dims": 3, "widths": (8, 16)}, (1, 1, 8, 8, 8)),
    "slice-classifier": ({"widths": (8, 8, 16, 16)}, (2, 1, 64, 64)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_autocast(name: str) -> None:
    arguments, shape = NETWORKS[name]
    torch.manual_seed(3)
    network: Network = ARCHITECTURES[name.split(",")[0]](**arguments).eval()
    for weights in network.parameters():
        if weights.ndim == 1:  # norms and biases that do something
            weights.data += 0.3 * torch.randn_like(weights)
    twin, image = bf16_copy(network), torch.randn(shape)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected, got = joined(network(image)), joined(twin(image))
    assert torch.equal(expected, got)
    assert expected.abs().max() > 0


def test_original_stays_in_full_precision() -> None:
    network = ARCHITECTURES["unet"](widths=(8, 16)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    bf16_copy(network)
    assert all(torch.equal(before[n], v) and v.dtype == torch.float32 for n, v in network.state_dict().items())
    assert not any(isinstance(m, SignReLU) for m in network.modules())


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32])
def test_relu_of_every_16_bit_pattern(kind: torch.dtype, inplace: bool) -> None:
    """All bf16 numbers but NaN, with both zeros, both infinities and what is below the normal range."""
    every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    x = every[~every.isnan()].to(kind)
    before = x.clone()
    got = SignReLU(inplace)(x)
    assert torch.equal(got, torch.relu(before))
    assert torch.equal(x, got if inplace else before)


@pytest.mark.parametrize(
    ("pool", "shape"),
    [
        (nn.MaxPool3d(2), (2, 3, 4, 6, 8)),
        (nn.MaxPool3d((1, 2, 2)), (1, 24, 3, 4, 4)),
        (nn.MaxPool2d(3), (2, 5, 7, 9)),  # the seventh row is left over
    ],
)
def test_pooling_by_blocks_is_torchs(pool: nn.MaxPool2d | nn.MaxPool3d, shape: tuple[int, ...]) -> None:
    torch.manual_seed(6)
    layout = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
    x = torch.randn(shape).bfloat16().contiguous(memory_format=layout)
    twin = bf16_copy(nn.Sequential(pool))
    got = twin(x)
    assert isinstance(twin[0], BlockMaximum) and got.is_contiguous(memory_format=layout)
    assert torch.equal(got, pool(x))


@pytest.mark.parametrize("pool", [nn.MaxPool2d(3, 2), nn.MaxPool2d(2, padding=1), nn.MaxPool3d(2, ceil_mode=True)])
def test_other_pooling_stays(pool: nn.Module) -> None:
    assert type(bf16_copy(nn.Sequential(pool))[0]) is type(pool)
