"""The U-Net: shapes, and parameter counts worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from TwoStageSegLib.networks.unet import UNet


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


# widths (4, 8), one image in, two organs out. k = 27 weights per kernel in 3D, 9 in 2D; u = 8 or 4 on the way up.
#   level 0   1*4*k + 8 + 4*4*k + 8      level 1   4*8*k + 16 + 8*8*k + 16      up   8*4*u + 4
#   merge     8*4*k + 8 + 4*4*k + 8 (4*4*k without skips)                       head 4*2 + 2
@pytest.mark.parametrize(
    ("dims", "skips", "expected"), [(3, True, 4762), (3, False, 4330), (2, True, 1682), (2, False, 1538)]
)
def test_parameter_count_by_hand(dims, skips, expected):
    assert count(UNet(dims, 1, 2, (4, 8), groups=2, skips=skips)) == expected


def test_patches_by_hand():
    """Embedding 1*4*8 + 4; first kernel 4*4*27 for 1*4*27; the head turns a voxel into 8: 4*2*8 + 2 for 4*2 + 2."""
    assert count(UNet(3, 1, 2, (4, 8), groups=2, patch=2)) == 4762 + 36 + (432 - 108) + (66 - 10)


@pytest.mark.parametrize("dims", [2, 3])
def test_patches_keep_the_size_and_work_on_a_coarser_one(dims):
    network = UNet(dims, 1, 3, (4, 8), groups=2, patch=2)
    assert network.multiple == 4
    seen: list[torch.Size] = []
    network.down[0].register_forward_hook(lambda module, given, out: seen.append(out.shape))
    assert network(torch.zeros(2, 1, *(8, 12, 16)[:dims])).shape == (2, 3, *(8, 12, 16)[:dims])
    assert seen == [(2, 4, *(4, 6, 8)[:dims])]


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("norm_last", [True, False])
def test_shapes_in_three_dimensions(skips, norm_last):
    network = UNet(3, 1, 5, (4, 6, 8), groups=2, skips=skips, norm_last=norm_last)
    assert network.multiple == 4
    assert network(torch.zeros(2, 1, 8, 12, 4)).shape == (2, 5, 8, 12, 4)


def test_shapes_in_two_dimensions():
    network = UNet(2, 3, 2, (4, 8, 8, 8), groups=4)
    assert network.multiple == 8
    assert network(torch.zeros(1, 3, 16, 24)).shape == (1, 2, 16, 24)


def test_a_size_that_is_no_multiple_is_an_error():
    with pytest.raises(RuntimeError, match="size"):
        UNet(3, 1, 1, (4, 8, 8), groups=2)(torch.zeros(1, 1, 8, 8, 6))


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    network = UNet(3, 1, 2, (4, 8, 8), groups=2)
    network(torch.randn(2, 1, 8, 8, 8)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_a_skip_carries_what_pooling_loses():
    """One voxel and its neighbour in the same pooling cell: the input's detail reaches the output only by the skip."""
    torch.manual_seed(0)
    network = UNet(3, 1, 1, (4, 8), groups=2)
    image = torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        for p in network.up.parameters():
            p.zero_()  # nothing comes from below
        assert float(network(image).std()) > 1e-3
        network.skips = False
        network.merge[0][0] = nn.Conv3d(4, 4, 3, padding=1, bias=False)
        assert float(network(image).std()) < 1e-5


def test_group_norm_groups_fit_the_width():
    network = UNet(3, 1, 1, (4, 16), groups=8)
    groups = [(m.num_groups, m.num_channels) for m in network.modules() if isinstance(m, nn.GroupNorm)]
    assert groups == [(4, 4), (4, 4), (8, 16), (8, 16), (4, 4), (4, 4)]


def test_a_sample_does_not_depend_on_its_batch():
    """GroupNorm, unlike BatchNorm, looks at one sample: train and eval, alone and in company are the same."""
    torch.manual_seed(0)
    network = UNet(3, 1, 2, (4, 8), groups=2)
    a, b = torch.randn(1, 1, 8, 8, 8), 100 * torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        assert torch.allclose(network.train()(torch.cat((a, b)))[:1], network.eval()(a), atol=1e-5)


def test_norm_first_forgets_the_scale_of_the_image_and_norm_last_does_not():
    """conv (no bias), norm, ReLU: a factor on the image is gone after the first norm. The two orders differ."""
    torch.manual_seed(0)
    image = torch.randn(1, 1, 8, 8, 8)
    first, last = UNet(3, 1, 1, (4, 8), groups=2), UNet(3, 1, 1, (4, 8), groups=2, norm_last=True)
    last.load_state_dict({k: v for k, v in zip(last.state_dict(), first.state_dict().values(), strict=True)})
    with torch.no_grad():
        assert torch.allclose(first(image), first(10 * image), atol=1e-2)
        assert not torch.allclose(first(image), last(image), atol=1e-2)
