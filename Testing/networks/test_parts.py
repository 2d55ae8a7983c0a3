"""What the new networks' parts do: attention, dilation, alignment, pooling, fusion, regions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from TwoStageSegLib.networks.blocks import SqueezeExcite
from TwoStageSegLib.networks.centernet import CenterNet
from TwoStageSegLib.networks.resnet import Trunk
from TwoStageSegLib.networks.sanet import PyramidPooling, SpatialAlignment, moved
from TwoStageSegLib.networks.seunet import SEUNet, ViewFusion
from TwoStageSegLib.networks.small_organs import peaks, pool_region, region_start
from TwoStageSegLib.networks.snet import DenseASPP, SEResBlock, SNet
from TwoStageSegLib.networks.unet import UNet


def reach(network: nn.Module, given: torch.Tensor, at: tuple[int, ...]) -> list[tuple[int, int]]:
    """Which inputs (first, last per spatial axis) the output at ``at`` depends on."""
    given = given.clone().requires_grad_()
    network.eval()(given)[(0, slice(None), *at)].sum().backward()
    touched = given.grad[0].abs().sum(0).nonzero()
    return [(int(a), int(b)) for a, b in zip(touched.min(0).values, touched.max(0).values, strict=True)]


def test_squeeze_and_excite_by_hand():
    """Channel means 1 and 3; hidden = 1 + 3 = 4; factors sigmoid(0) and sigmoid(4 ln 3 / 4) = 3/4."""
    block = SqueezeExcite(2, 2)
    with torch.no_grad():
        for p in block.parameters():
            p.zero_()
        block.squeeze.weight.fill_(1.0)
        block.excite.weight[1] = torch.log(torch.tensor(3.0)) / 4
    x = torch.tensor([[[[0.0, 2.0]], [[3.0, 3.0]]]])
    assert torch.allclose(block(x), torch.tensor([[[[0.0, 1.0]], [[2.25, 2.25]]]]))


def test_squeeze_and_excite_never_has_zero_hidden_channels():
    assert SqueezeExcite(8, 16).squeeze.out_features == 1


def test_trunk_resolutions_plain_and_dilated():
    plain = [tuple(m.shape[1:]) for m in Trunk(1, (4, 6, 8, 10))(torch.zeros(2, 1, 64, 96))]
    assert plain == [(4, 16, 24), (6, 8, 12), (8, 4, 6), (10, 2, 3)]
    dilated = Trunk(1, (4, 6, 8, 10), dilated=True)
    assert tuple(dilated(torch.zeros(2, 1, 64, 96))[-1].shape[1:]) == (10, 4, 6)
    kernels = [m for m in dilated.stages[3].modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert {(m.stride, m.dilation, m.padding) for m in kernels} == {((1, 1), (2, 2), (2, 2))}


def test_a_centre_net_begins_with_rare_centres():
    torch.manual_seed(0)
    network = CenterNet(widths=(4, 4, 4, 4), up=(4, 4, 4), hidden=4).eval()
    with torch.no_grad():
        network.head[-1].weight.zero_()
        p = network(torch.randn(1, 1, 32, 32)).sigmoid()
    assert torch.allclose(p, torch.tensor(0.1), atol=1e-3)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (11, 7)])
def test_alignment_without_offset_is_bilinear_interpolation(size):
    """The half-pixel zoom of two mixed grid conventions would show here."""
    torch.manual_seed(0)
    deep = torch.randn(2, 3, 8, 8)
    found = moved(deep, torch.zeros(2, 2, *size))
    assert torch.allclose(found, F.interpolate(deep, size, mode="bilinear", align_corners=False), atol=1e-5)


def test_alignment_at_the_same_size_without_offset_is_the_identity():
    torch.manual_seed(0)
    deep = torch.randn(1, 2, 5, 9)
    assert torch.allclose(moved(deep, torch.zeros(1, 2, 5, 9)), deep, atol=1e-5)


def test_the_offset_is_in_pixels_of_the_result_x_first():
    deep = torch.arange(24.0).reshape(1, 1, 4, 6)
    offset = torch.zeros(1, 2, 4, 6)
    offset[:, 0] = 2  # look two pixels to the right
    offset[:, 1] = -1  # and one up
    found = moved(deep, offset)[0, 0]
    assert torch.allclose(found[1:, :4], deep[0, 0, :3, 2:], atol=1e-4)
    assert torch.allclose(found[0, :4], deep[0, 0, 0, 2:], atol=1e-4)  # beyond the border: the border


def test_the_alignment_module_with_a_silent_offset_upsamples():
    torch.manual_seed(0)
    module = SpatialAlignment(4)
    nn.init.zeros_(module.offset.weight)
    shallow, deep = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 8, 8)
    expected = F.interpolate(deep, (16, 16), mode="bilinear", align_corners=False)
    assert torch.allclose(module(shallow, deep), expected, atol=1e-5)


def test_coordinates_are_not_rounded_in_half_precision():
    deep = torch.arange(512.0).reshape(1, 1, 1, 512).expand(1, 1, 4, 512).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = moved(deep, torch.zeros(1, 2, 4, 512).bfloat16())
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, deep)


def test_pyramid_pooling_sees_everything():
    torch.manual_seed(0)
    assert reach(PyramidPooling(2, 4), torch.randn(1, 2, 12, 12), (0, 0)) == [(0, 11), (0, 11)]


def test_pyramid_pooling_of_a_constant_map_is_that_of_its_pixels():
    torch.manual_seed(0)
    module = PyramidPooling(2, 4).eval()
    constant = torch.randn(1, 2, 1, 1).expand(1, 2, 12, 12)
    found = module(constant)
    assert torch.allclose(found, found[:, :, :1, :1].expand_as(found), atol=1e-5)
    assert [path[0].output_size for path in module.paths] == [1, 2, 3, 6]


def test_dense_pyramid_grows_and_reaches_in_plane_only():
    """3 + 6 + 12 + 18 = 39 to each side in plane (all four in a row), 4 across slices."""
    torch.manual_seed(0)
    module = DenseASPP(2, 4, 3)
    given = torch.randn(1, 2, 11, 91, 91)
    assert module.outputs == 14
    assert module.eval()(given).shape == (1, 14, 11, 91, 91)
    assert reach(module, given, (5, 45, 45)) == [(1, 9), (6, 84), (6, 84)]


def test_the_published_pyramid_has_192_channels_and_the_printed_one_320():
    with torch.device("meta"):
        assert SNet(growth=32).pyramid.outputs == 192
        assert SNet().pyramid.outputs == 320


def test_residual_block_without_body_is_the_identity():
    block = SEResBlock(4, 4).eval()
    with torch.no_grad():
        block.body[5].weight.zero_()
    x = torch.randn(1, 4, 3, 5, 5)
    assert torch.equal(block(x), x)


def test_flat_and_dilated_residual_blocks_reach_as_far_as_they_should():
    torch.manual_seed(0)
    given = torch.randn(1, 2, 9, 15, 15)

    class Body(nn.Module):  # without the attention, which sees everything
        def __init__(self, block: SEResBlock):
            super().__init__()
            self.body = block.body[:6]

        def forward(self, x):
            return self.body(x)

    assert reach(Body(SEResBlock(2, 2, (1, 3, 3))), given, (4, 7, 7)) == [(4, 4), (5, 9), (5, 9)]
    assert reach(Body(SEResBlock(2, 2, dilation=2)), given, (4, 7, 7)) == [(2, 6), (4, 10), (4, 10)]


def test_u_net_with_a_pooling_in_plane_first():
    network = UNet(3, 1, 1, (4, 4, 4), groups=2, pools=((1, 2, 2), (2, 2, 2)))
    assert (network.multiples, network.multiple) == ((2, 4, 4), 4)
    assert network(torch.zeros(1, 1, 2, 4, 8)).shape == (1, 1, 2, 4, 8)


def test_u_net_with_batch_normalisation_or_nonsense():
    kinds = {type(m) for m in UNet(2, 1, 1, (4, 4), norm="batch").modules()}
    assert nn.BatchNorm2d in kinds and nn.GroupNorm not in kinds
    with pytest.raises(ValueError, match="'group' or 'batch'"):
        UNet(2, norm="instance")
    with pytest.raises(ValueError):
        UNet(3, 1, 1, (4, 4, 4), pools=((2, 2, 2),))


def test_se_u_net_has_attention_after_each_pair_and_three_poolings():
    with torch.device("meta"):
        network = SEUNet()
    attention = [m for m in network.modules() if isinstance(m, SqueezeExcite)]
    assert [a.squeeze.out_features for a in attention] == [4, 8, 16, 32, 16, 8, 4]
    assert network.multiples == (8, 8)


def test_views_are_averaged_at_first_and_one_view_can_win_an_organ():
    fusion = ViewFusion(3, 2)
    logits = torch.tensor([[[3.0, 0.0], [6.0, 0.0], [0.0, 9.0]]])  # (1, views, organs)
    assert torch.allclose(fusion(logits), torch.tensor([[3.0, 3.0]]))
    with torch.no_grad():
        fusion.scores[1, 0] = 50.0
    assert torch.allclose(fusion(logits), torch.tensor([[6.0, 3.0]]))
    assert torch.allclose(fusion.weights.sum(0), torch.ones(2))


def test_peaks_are_the_highest_voxels():
    heat = torch.zeros(2, 2, 4, 5, 6)
    heat[0, 0, 3, 2, 1] = heat[0, 1, 0, 4, 5] = heat[1, 0, 1, 1, 1] = heat[1, 1, 2, 0, 3] = 1
    assert peaks(heat).tolist() == [[[3, 2, 1], [0, 4, 5]], [[1, 1, 1], [2, 0, 3]]]


def test_regions_stay_inside():
    """Size 8 x 64 x 64 in a chunk of 40 x 192 x 192: 4 and 32 voxels before the centre, moved inwards at the ends."""
    centres = torch.tensor([[20, 96, 100], [0, 10, 191], [39, 32, 160]])
    expected = [[16, 64, 68], [0, 0, 128], [32, 0, 128]]
    assert region_start(centres, (40, 192, 192)).tolist() == expected


def test_a_region_is_cut_around_its_centre_and_passes_gradients():
    maps = torch.arange(2.0 * 4 * 6 * 6).reshape(2, 1, 4, 6, 6).requires_grad_()
    cut = pool_region(maps, torch.tensor([[2, 3, 3], [0, 5, 5]]), (2, 2, 2))
    assert torch.equal(cut[0, 0], maps[0, 0, 1:3, 2:4, 2:4])
    assert torch.equal(cut[1, 0], maps[1, 0, 0:2, 4:6, 4:6])
    cut.sum().backward()
    assert float(maps.grad.sum()) == 16.0


def test_a_region_larger_than_the_chunk_is_an_error():
    with pytest.raises(ValueError, match="does not fit"):
        pool_region(torch.zeros(1, 1, 4, 64, 64), torch.zeros(1, 3, dtype=torch.int64))
