"""A network in training, run by the engine's own functions: what validation measures is what the bundle will do."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from TwoStageSegLib.manifest import NetworkSpec
from TwoStageSegLib.networks.blocks import Network
from TwoStageSegLib.systems.runner import Runner


class LiveRunner(Runner):
    """A Runner of a network that no bundle holds yet; precision is the caller's."""

    def __init__(self, spec: NetworkSpec, network: nn.Module, where: torch.device):
        assert isinstance(network, Network)
        self.spec, self.network, self.where = spec, network, where

    @torch.no_grad()
    def __call__(self, batch: NDArray[np.float32], exact: bool = False) -> NDArray[np.float32]:
        return self.network(torch.from_numpy(batch).to(self.where)).float().cpu().numpy()
