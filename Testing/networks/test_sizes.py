"""Every architecture at its paper's widths: parameter counts, shapes, gradients, and building without weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.blocks import SqueezeExcite
from TwoStageSegLib.networks.catalogue import ARCHITECTURES
from TwoStageSegLib.networks.centernet import CenterNet
from TwoStageSegLib.networks.resnet import SliceClassifier
from TwoStageSegLib.networks.sanet import SANet
from TwoStageSegLib.networks.seunet import SEUNet, ViewFusion
from TwoStageSegLib.networks.shape_autoencoder import ShapeAutoencoder
from TwoStageSegLib.networks.small_organs import SOLNet, SOSNet
from TwoStageSegLib.networks.snet import SNet
from TwoStageSegLib.networks.unet import CHUNK, SLICE, UNet

ROOT = Path(__file__).resolve().parent.parent.parent


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        # torchvision's 11,689,512, less 1000 classes (513,000) and two of three input channels (2 * 64 * 49), plus two
        # classes (1026); 11.17 M in papers/001
        (SliceClassifier, 11_689_512 - 513_000 - 6_272 + 1_026),
        # the same trunk 11,170,240, pyramid 394,496, laterals 58,112, alignment 56,064, smoothing 443,136, head 590,338
        (SANet, 11_170_240 + 394_496 + 58_112 + 56_064 + 443_136 + 590_338),  # 12.71 M; the paper prints 12.82 M
        # trunk, up 512 * 256 * 16 + 2 * (256 * 256 * 16) + 3 * 512, head 256 * 64 * 9 + 64 + 64 + 1
        (CenterNet, 11_170_240 + 2_097_152 + 2_097_152 + 1_536 + 147_456 + 129),
        (lambda: SNet(growth=32), 1_962_650),  # 1.96 M as in the published code; Table 10's 320 channels need growth 64
        (SNet, 2_369_050),
        (SOLNet, 2 * 27 * 32 * 32 + 2 * 64 + (32 * 16 + 16 + 16 * 32 + 32) + 3 * 32 + 3),  # 0.056 M
        (SOSNet, 144_713),
        (lambda: SOSNet(1), 86_213),
        (ShapeAutoencoder, 31_147_905),  # 31.1 M
        (SEUNet, 7_755_362),
        (lambda: SEUNet(3, 1, 1), 22_452_377),
        (ViewFusion, 30),
        (lambda: UNet(**SLICE), 31_036_481),
        (lambda: UNet(**CHUNK), 5_592_929),
    ],
)
def test_parameters_at_the_papers_widths(make, parameters):
    with torch.device("meta"):
        assert count(make()) == parameters


@pytest.mark.parametrize(
    ("make", "given", "answer"),
    [
        (SliceClassifier, (3, 1, 512, 512), (3, 2)),
        (SANet, (2, 1, 512, 512), (2, 2, 512, 512)),
        (CenterNet, (2, 1, 192, 192), (2, 1, 48, 48)),
        (SOLNet, (1, 32, 40, 240, 240), (1, 3, 40, 240, 240)),
        (SOSNet, (2, 66, 8, 64, 64), (2, 1, 8, 64, 64)),
        (SEUNet, (2, 1, 280, 280), (2, 10, 280, 280)),
        (lambda: SEUNet(3, 1, 1), (1, 1, 64, 72, 80), (1, 1, 64, 72, 80)),
        (lambda: UNet(**SLICE), (2, 1, 112, 112), (2, 1, 112, 112)),
        (lambda: UNet(**CHUNK), (1, 1, 32, 112, 112), (1, 1, 32, 112, 112)),
        (ViewFusion, (2, 3, 10, 4, 5, 6), (2, 10, 4, 5, 6)),
    ],
)
def test_shapes_at_the_papers_sizes(make, given, answer):
    with torch.device("meta"):
        assert make()(torch.zeros(given)).shape == answer


def test_shapes_of_the_main_network_and_the_autoencoder():
    with torch.device("meta"):
        logits, features, first = SNet()(torch.zeros(1, 1, 40, 240, 240))
        code = ShapeAutoencoder()(torch.zeros(2, 1, 8, 64, 64))
    assert logits.shape == (1, 10, 40, 240, 240)
    assert features.shape == first.shape == (1, 32, 40, 240, 240)
    assert code.latent.shape == (2, 512)
    assert code.low.shape == (2, 128, 2, 16, 16)
    assert code.high.shape == (2, 64, 4, 32, 32)
    assert code.mask.shape == (2, 1, 8, 64, 64)


NARROW = (8, 8, 12, 16)


def narrow() -> dict[str, tuple[nn.Module, Tensor]]:
    """Each architecture at a width for tests, with an input."""
    torch.manual_seed(0)
    return {
        "slice-classifier": (SliceClassifier(widths=NARROW), torch.randn(3, 1, 64, 64)),
        "sanet": (SANet(widths=NARROW, width=8), torch.randn(3, 1, 64, 96)),
        "centernet": (CenterNet(widths=NARROW, up=(8, 8, 8), hidden=8), torch.randn(2, 1, 64, 64)),
        "unet-2d": (UNet(2, widths=(8, 8, 8), norm="batch"), torch.randn(2, 1, 16, 16)),
        "unet-3d": (
            UNet(3, widths=(8, 8, 8), norm="batch", pools=((1, 2, 2), (2, 2, 2))),
            torch.randn(2, 1, 6, 16, 16),
        ),
        "seunet-2d": (SEUNet(2, 1, 4, (16, 16, 16), squeeze=2), torch.randn(2, 1, 16, 16)),
        "seunet-3d": (SEUNet(3, 1, 1, (16, 16, 16), squeeze=2), torch.randn(2, 1, 8, 8, 8)),
        "fusion": (ViewFusion(3, 4), torch.randn(2, 3, 4, 5, 5)),
        "s-net": (SNet(1, 4, (8, 8, 8), growth=4), torch.randn(1, 1, 4, 32, 32)),
        "sol-net": (SOLNet(8, 2, 8), torch.randn(1, 8, 4, 8, 8)),
        "sos-net": (SOSNet(4, 8), torch.randn(2, 4, 4, 8, 8)),
        "autoencoder": (ShapeAutoencoder((8, 8, 8, 8), 32, (8, 16, 16)), torch.rand(2, 1, 8, 16, 16)),
    }


@pytest.mark.parametrize("name", list(narrow()))
def test_every_parameter_gets_a_gradient(name):
    network, given = narrow()[name]
    for module in network.modules():
        if isinstance(module, SqueezeExcite):  # a hidden unit may be silent at first; here none is
            nn.init.ones_(module.squeeze.bias)
    answer = network(given)
    parts = [answer] if isinstance(answer, Tensor) else list(answer)
    torch.manual_seed(1)
    sum((part * torch.randn_like(part)).sum() for part in parts).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("name", list(narrow()))
def test_half_precision_stays_close(name):
    """autocast, as the engine runs them on processors with bf16."""
    network, given = narrow()[name]
    with torch.inference_mode():
        exact = network.eval()(given)
        with torch.autocast("cpu", torch.bfloat16):
            half = network(given)
    exact, half = (x if isinstance(x, Tensor) else x[0] for x in (exact, half))
    assert float((exact - half.float()).abs().mean()) < 0.08 * float(exact.std()) + 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "given", "on_cpu"),
    [
        (SliceClassifier, (2, 1, 512, 512), None),
        (SANet, (2, 1, 512, 512), None),
        (CenterNet, (2, 1, 192, 192), None),
        (lambda: UNet(**SLICE), (2, 1, 112, 112), None),
        (lambda: UNet(**CHUNK), (1, 1, 32, 112, 112), None),
        (SEUNet, (1, 1, 280, 280), None),
        (lambda: SEUNet(3, 1, 1), (1, 1, 32, 48, 48), None),
        (SNet, (1, 1, 40, 240, 240), (1, 1, 8, 120, 120)),  # the paper's chunk asks for 12 GB
        (SOLNet, (1, 32, 40, 240, 240), (1, 32, 8, 120, 120)),
        (SOSNet, (1, 66, 8, 64, 64), None),
        (ShapeAutoencoder, (2, 1, 8, 64, 64), None),
    ],
)
def test_one_step_at_the_papers_size(make, given, on_cpu):
    """Two networks get a smaller chunk where there is no GPU; the shapes of the paper's are checked above."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = make().to(device)
    answer = network(torch.rand(given if on_cpu is None or device == "cuda" else on_cpu, device=device))
    parts = [answer] if isinstance(answer, Tensor) else list(answer)
    sum(part.square().mean() for part in parts).backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)


def test_building_without_weights_does_not_import_the_compiler():
    """1.2 seconds of torch._dynamo at every start of the worker otherwise."""
    code = (
        "import sys, torch\nfrom TwoStageSegLib.networks.catalogue import ARCHITECTURES\n"
        "from TwoStageSegLib.networks.shape_autoencoder import ShapeAutoencoder\n"
        "with torch.device('meta'):\n"
        "    for kind in (*ARCHITECTURES.values(), ShapeAutoencoder):\n"
        "        assert all(p.is_meta for p in kind().parameters())\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_architecture_of_a_bundle_says_what_its_input_must_be_a_multiple_of():
    with torch.device("meta"):
        found = {name: kind().multiple for name, kind in ARCHITECTURES.items()}
    assert found == {
        "unet": 8,
        "seunet": 8,
        "centernet": 32,
        "slice-classifier": 32,
        "sanet": 16,
        "s-net": 4,
        "sol-net": 1,
        "sos-net": 1,
    }
