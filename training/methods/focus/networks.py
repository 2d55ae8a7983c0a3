"""The five kinds of networks as a recipe describes them, and those that earlier phases trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.shape_autoencoder import ShapeAutoencoder
from TwoStageSegLib.networks.small_organs import SOLNet, SOSNet
from TwoStageSegLib.networks.snet import SNet
from TwoStageSegLib.systems.focus_requirements import SEGMENT
from TwoStageSegLib.systems.requirements import LOCATE

from ..weights import checkpoint
from . import HEAT, MAIN, SHAPES, TOGETHER
from .recipe import FocusRecipe, role

Kind = TypeVar("Kind", bound=nn.Module)

USUAL_LOGIT = 3.0  # initial logit of background: nearly everything is
RARE_LOGIT = -3.0  # initial logit of a heatmap: where a sigmoid is near 0 or 1, L2 has hardly a gradient


class Several(nn.ModuleDict):
    """Networks that are trained side by side, by role. ``still``: those whose batch statistics stay as they are."""

    def __init__(self, networks: Mapping[str, nn.Module], still: Iterable[str] = ()):
        super().__init__(networks)
        self.still = tuple(still)

    def train(self, mode: bool = True) -> Several:
        super().train(mode)
        for name in self.still:
            self[name].eval()
        return self


def snet(r: FocusRecipe) -> SNet:
    network = SNet(1, len(r.outputs), r.widths, r.growth)
    nn.init.constant_(cast(Tensor, network.head.bias)[:1], USUAL_LOGIT)
    return _fast(network)


def solnet(r: FocusRecipe) -> SOLNet:
    network = SOLNet(r.widths[0], len(r.small), r.heat_width)
    # S-Net's features pass the block's shortcut as large as they are: random weights would fill the map with ones
    nn.init.zeros_(network.head.weight)
    nn.init.constant_(cast(Tensor, network.head.bias), RARE_LOGIT)
    return _fast(network)


def sosnet(r: FocusRecipe) -> SOSNet:
    return _fast(SOSNet(r.inputs, r.small_width))


def autoencoder(r: FocusRecipe) -> ShapeAutoencoder:
    return _fast(ShapeAutoencoder(r.shape_widths, r.shape_latent, r.roi))


def small_networks(r: FocusRecipe) -> dict[str, nn.Module]:
    """The SOS-Nets by role, and the autoencoder if the recipe has one."""
    networks: dict[str, nn.Module] = {role(organ): sosnet(r) for organ in r.small}
    return networks if r.shapes == "none" else {**networks, SHAPES: autoencoder(r)}


def joint_networks(r: FocusRecipe) -> dict[str, nn.Module]:
    """Everything, by role."""
    return {SEGMENT: snet(r), LOCATE: solnet(r), **small_networks(r)}


def trained(r: FocusRecipe, run: Path, weights: str = "best", last: str = TOGETHER) -> dict[str, dict[str, Tensor]]:
    """The weights of every role after the phase ``last``. S-Net and SOL-Net are the best ones: what ``small`` was
    trained on."""
    if last == MAIN:
        return {SEGMENT: checkpoint(run, MAIN)}
    if last == HEAT:
        return {SEGMENT: checkpoint(run, MAIN), LOCATE: checkpoint(run, HEAT)}
    found = {} if last == TOGETHER else trained(r, run, last=HEAT)
    for name, tensor in checkpoint(run, last, weights).items():
        network, _, inside = name.partition(".")
        found.setdefault(network, {})[inside] = tensor
    return found


def frozen(network: Kind, weights: Mapping[str, Tensor]) -> Kind:
    """A network that is only used: no gradients, its batch statistics as they were learnt."""
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def _fast(network: Kind) -> Kind:
    """In the layout in which a processor's convolutions take two thirds of the time."""
    return network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
