"""The CPU's float32 copy of a network: the same weights, the same answers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from TwoStageSegLib.networks.catalogue import ARCHITECTURES
from TwoStageSegLib.systems.direct import DirectConvolution, direct_copy
from TwoStageSegLib.systems.runner import joined

NETWORKS = {
    "unet": ({"widths": (24, 48), "outputs": 2}, (1, 1, 8, 8, 8)),
    "unet, patches": ({"widths": (8, 16), "outputs": 2, "patch": 2}, (2, 1, 8, 8, 8)),
    "unet, slices": ({"dims": 2, "widths": (8, 16), "norm": "batch"}, (3, 1, 16, 16)),
    "seunet": ({"dims": 3, "widths": (8, 16)}, (1, 1, 8, 8, 8)),
    "slice-classifier": ({"widths": (8, 8, 16, 16)}, (1, 1, 64, 64)),
    "s-net": ({"outputs": 3, "widths": (8, 8, 8), "growth": 8}, (1, 1, 8, 16, 16)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_network(name: str) -> None:
    arguments, shape = NETWORKS[name]
    torch.manual_seed(4)
    network = ARCHITECTURES[name.split(",")[0]](**arguments).eval()
    twin, image = direct_copy(network), torch.randn(shape)
    assert sum(isinstance(m, DirectConvolution) for m in twin.modules()) == sum(
        type(m) in (nn.Conv2d, nn.Conv3d) for m in network.modules()
    )
    with torch.inference_mode():
        expected, got = joined(network(image)), joined(twin(image))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert expected.std() > 0


def test_shares_the_weights_and_leaves_the_original() -> None:
    network = ARCHITECTURES["unet"](widths=(8, 16)).eval()
    twin = direct_copy(network)
    assert twin is not network and not any(isinstance(m, DirectConvolution) for m in network.modules())
    assert {id(p) for p in twin.parameters()} == {id(p) for p in network.parameters()}


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv3d(6, 4, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
        nn.Conv3d(6, 4, 3, padding=2, dilation=2, groups=2, bias=False),
        nn.Conv2d(6, 5, 1),
    ],
)
@torch.inference_mode()
def test_every_option_of_a_convolution(convolution: nn.Conv2d | nn.Conv3d) -> None:
    x = torch.randn(1, 6, *(7, 9, 8)[: convolution.weight.ndim - 2])
    torch.testing.assert_close(DirectConvolution(convolution)(x), convolution(x), rtol=1e-4, atol=1e-5)


def test_without_onednn_the_network_itself(monkeypatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    network = ARCHITECTURES["unet"](widths=(8, 16)).eval()
    assert direct_copy(network) is network
