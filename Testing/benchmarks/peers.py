"""What Locate & Segment is measured against: the same network over the whole scan, and the arithmetic alone.

The sliding windows run on a block of a few windows in the middle of the scan, or on all of it; their windows are
counted, so that the time of the whole scan follows from that of the block. nnU-Net runs its own predictor
(``nnunetv2.inference.predict_from_raw_data``), as it ships and in our precision.
"""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from TwoStageSegLib.grid import Grid
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.systems.runner import probability
from TwoStageSegLib.volume import Volume

WINDOW = (48, 48, 48)
NNUNET = "nnunetv2.inference.predict_from_raw_data"  # the machine that measures has it, ours need not
BLOCK = (60, 60, 60)  # two windows along each axis, with MONAI's overlap and with nnU-Net's
MONAI_OVERLAP, NNUNET_STEP = 0.25, 0.5  # both libraries' defaults


@dataclass(frozen=True)
class Peer:
    """``run`` processes an image tensor ``(1, 1, D, H, W)``; ``step``: of the windows, as a share of their size."""

    name: str
    run: Callable[[torch.Tensor], torch.Tensor]
    step: float

    def windows(self, image: torch.Tensor) -> int:
        """How many windows an image takes."""
        shape = image.shape[2:]
        steps = (int(w * self.step) for w in WINDOW)
        return math.prod(max(0, math.ceil((n - w) / s)) + 1 for n, w, s in zip(shape, WINDOW, steps, strict=True))


def whole_image(system: LocaliseCrop, volume: Volume) -> torch.Tensor:
    """The whole scan as the segmenter sees it, at the crop's spacing: ``(1, 1, D, H, W)``."""
    geometry = volume.standard.geometry
    spacing = np.asarray(next(iter(system.segmenters.values())).spec.spacing_mm)
    shape = np.maximum(np.ceil(geometry.extent_zyx_mm / spacing).astype(int), WINDOW)
    middle = geometry.index_to_lps((np.asarray(geometry.shape_zyx) - 1) / 2)
    grid = Grid.centred(geometry, middle, spacing, shape)
    return torch.from_numpy(system.preprocess.image(volume, grid))[None, None]


def block_of(image: torch.Tensor) -> torch.Tensor:
    """The middle of an image, two windows wide."""
    sides = [(n, min(n, b)) for n, b in zip(image.shape[2:], BLOCK, strict=True)]
    cut = [slice((n - side) // 2, (n - side) // 2 + side) for n, side in sides]
    return image[(slice(None), slice(None), *cut)].contiguous()


def peers(system: LocaliseCrop) -> tuple[list[Peer], str]:
    """The sliding windows that can run here, and why nnU-Net's cannot ("" if it can)."""
    runner = next(iter(system.segmenters.values()))
    network, half = runner.network, runner.device.half
    found = [
        Peer("MONAI, our precision", lambda x: _monai(x, network, half, True), 1 - MONAI_OVERLAP),
        Peer("MONAI, defaults (fp32)", lambda x: _monai(x, network, False, False), 1 - MONAI_OVERLAP),
    ]
    try:
        import_module(NNUNET)
    except ImportError as error:
        return found, f"not measured: {error}"
    return [
        *found,
        Peer("nnU-Net, our precision", lambda x: _nnunet(x, network, half, False), NNUNET_STEP),
        Peer("nnU-Net, no mirroring (fp32)", lambda x: _nnunet(x, network, False, False), NNUNET_STEP),
        Peer("nnU-Net, defaults (fp32)", lambda x: _nnunet(x, network, False, True), NNUNET_STEP),
    ], ""


@torch.inference_mode()
def _monai(x: torch.Tensor, network: torch.nn.Module, half: bool, last: bool) -> torch.Tensor:
    from monai.inferers import sliding_window_inference

    layout = torch.channels_last_3d if last else torch.contiguous_format
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        out = sliding_window_inference(x.contiguous(memory_format=layout), WINDOW, 1, network, overlap=MONAI_OVERLAP)
    assert isinstance(out, torch.Tensor)
    return out


@torch.inference_mode()
def _nnunet(x: torch.Tensor, network: torch.nn.Module, half: bool, mirror: bool) -> torch.Tensor:
    kind = import_module(NNUNET).nnUNetPredictor
    with contextlib.redirect_stdout(io.StringIO()):  # it says at length that there is no GPU
        predictor = kind(tile_step_size=NNUNET_STEP, use_mirroring=mirror, device=torch.device("cpu"), allow_tqdm=False)
    predictor.network, predictor.allowed_mirroring_axes = network, (0, 1, 2)
    predictor.configuration_manager = SimpleNamespace(patch_size=WINDOW)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=network.head.out_channels)  # type: ignore[union-attr]
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        return predictor.predict_sliding_window_return_logits(x[0])


def whole_chain(system: LocaliseCrop, volume: Volume, logits: NDArray[np.float32]) -> None:
    """What surrounds a network that sees the whole scan, for one organ, with the usual libraries: resample (SimpleITK,
    linear), clip and scale; then paste its answer (on ``whole_image``'s grid) back and keep the largest component."""
    import SimpleITK as sitk

    geometry, outside = volume.standard.geometry, system.manifest.input.outside
    spacing = next(iter(system.segmenters.values())).spec.spacing_mm
    scan = sitk.GetImageFromArray(volume.standard.voxels)
    scan.SetSpacing([float(s) for s in geometry.spacing_xyz_mm])
    coarse = sitk.Image([int(n) for n in logits.shape[::-1]], sitk.sitkInt16)
    coarse.SetSpacing([float(s) for s in spacing[::-1]])
    sampled = sitk.Resample(scan, coarse, sitk.Transform(), sitk.sitkLinear, outside)
    assert system.preprocess.normalised(sitk.GetArrayFromImage(sampled).astype(np.float32)).shape == logits.shape
    answer = sitk.GetImageFromArray(probability(logits))
    answer.SetSpacing(coarse.GetSpacing())
    inside = sitk.GetArrayFromImage(sitk.Resample(answer, scan, sitk.Transform(), sitk.sitkLinear, 0.0)) > 0.5
    labels, count = ndimage.label(inside, np.ones((3, 3, 3), bool))
    if count > 1:
        inside &= labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


@contextmanager
def counted(networks: list[torch.nn.Module]) -> Iterator[list[float]]:
    """Multiply-adds of every convolution of ``networks`` that runs meanwhile."""
    macs: list[float] = []

    def note(module: torch.nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        turned = isinstance(module, (torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d))
        voxels = (given[0] if turned else out)[:, 0].numel()
        macs.append(voxels * module.weight.numel())  # type: ignore[operator,union-attr]

    kinds = (torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)
    hooks = [m.register_forward_hook(note) for n in networks for m in n.modules() if isinstance(m, kinds)]
    try:
        yield macs
    finally:
        for hook in hooks:
            hook.remove()


def matrix_peak(kind: torch.dtype, size: int = 2048, turns: int = 3) -> float:
    """Multiply-adds per second of the best of a few square matrix products."""
    a, b = (torch.full((size, size), 0.5).to(kind) for _ in range(2))
    best = math.inf
    for _ in range(turns):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return size**3 / best
