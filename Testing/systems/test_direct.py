"""The CPU's float32 copy of a network: the same weights, the same answers."""

from __future__ import annotations

import platform

import pytest
import torch
from torch import nn

from TwoStageSegLib.networks.catalogue import ARCHITECTURES
from TwoStageSegLib.systems.direct import MEASURED, DirectConv2d, DirectConv3d, direct_copy
from TwoStageSegLib.systems.runner import joined

NETWORKS = {
    "unet": ({"widths": (24, 48), "outputs": 2}, (1, 1, 8, 8, 8)),
    "unet, patches": ({"widths": (8, 16), "outputs": 2, "patch": 2}, (2, 1, 8, 8, 8)),
    "unet, slices": ({"dims": 2, "widths": (8, 16), "norm": "batch"}, (3, 1, 16, 16)),
    "seunet": ({"dims": 3, "widths": (8, 16)}, (1, 1, 8, 8, 8)),
    "slice-classifier": ({"widths": (8, 8, 16, 16)}, (1, 1, 64, 64)),
    "s-net": ({"outputs": 3, "widths": (8, 8, 8), "growth": 8}, (1, 1, 8, 16, 16)),
}


def is_direct(module: nn.Module) -> bool:
    return isinstance(module, DirectConv2d | DirectConv3d)


X86 = pytest.mark.skipif(platform.machine().lower() not in MEASURED, reason="another processor")


@X86
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_network(name: str) -> None:
    arguments, shape = NETWORKS[name]
    torch.manual_seed(4)
    network = ARCHITECTURES[name.split(",")[0]](**arguments).eval()
    twin, image = direct_copy(network), torch.randn(shape)
    assert sum(map(is_direct, twin.modules())) == sum(type(m) in (nn.Conv2d, nn.Conv3d) for m in network.modules()) > 0
    with torch.inference_mode():
        expected, got = joined(network(image)), joined(twin(image))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert expected.std() > 0


@X86
def test_shares_the_weights_and_leaves_the_original() -> None:
    network = ARCHITECTURES["unet"](widths=(8, 16)).eval()
    twin = direct_copy(network)
    assert twin is not network and not any(map(is_direct, network.modules()))
    assert all(a is b for a, b in zip(twin.parameters(), network.parameters(), strict=True))
    assert list(twin.state_dict()) == list(network.state_dict())


@X86
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
    network = nn.Sequential(convolution)
    direct = direct_copy(network)
    assert is_direct(direct[0]) and not is_direct(convolution)
    torch.testing.assert_close(direct(x), network(x), rtol=1e-4, atol=1e-5)


def test_what_onednn_does_not_pad_stays() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), nn.Conv2d(1, 1, 3, padding="same"))
    assert not any(map(is_direct, direct_copy(network).modules()))


@pytest.mark.parametrize(
    ("place", "name", "answer"), [(torch.backends.mkldnn, "is_available", False), (platform, "machine", "arm64")]
)
def test_without_onednn_or_elsewhere_the_network_itself(place, name: str, answer, monkeypatch) -> None:
    monkeypatch.setattr(place, name, lambda: answer)
    network = ARCHITECTURES["unet"](widths=(8, 16)).eval()
    assert direct_copy(network) is network
