"""What every recipe says, whatever its system: the images, the augmentation, and how long each network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..augment import IntensityRange, PoseRange
from ..data.prepared import ORGANS


@dataclass(frozen=True)
class Budget:
    """How long one network of a recipe is trained, for ``python -m training train``.

    Parameters
    ----------
    network : what ``fit`` calls it. steps : in all. decay_steps : the last ones, over which the rate falls to zero.
    restarts : steps of the first cosine cycle; not 0: the rate follows warm restarts, ``decay_steps`` does not count.
    every : steps between validations. lr : if not the recipe's. start : network whose weights it begins with.
    """

    network: str
    steps: int
    decay_steps: int = 0
    restarts: int = 0
    every: int = 200
    lr: float | None = None
    start: str = ""


@dataclass(frozen=True, kw_only=True)
class CommonRecipe:
    """The part of a recipe that all systems share.

    ``clip``, ``centre`` and ``scale`` are HU, or thousandths of a volume's own range where ``modality`` is not CT.
    ``mirror``: training crops are mirrored at random, which needs an anatomy that is (left and right organs in pairs).
    ``ema``: how much of the averaged weights is kept at every step. ``organs``: what the bundle finds, in its order.
    ``packed``: the bundle holds weights as ``systems.packed`` does, in half the room of half precision.
    """

    system: ClassVar[str]

    name: str
    organs: tuple[str, ...] = ORGANS
    modality: str = "CT"
    clip: tuple[float, float] = (-300.0, 700.0)
    centre: float = 0.0
    scale: float = 150.0
    lr: float = 1e-3
    weight_decay: float = 1e-4
    ema: float = 0.998
    mirror: bool = True
    poses: PoseRange = field(default_factory=PoseRange)
    intensities: IntensityRange = field(default_factory=IntensityRange)
    packed: bool = False
    budgets: tuple[Budget, ...] = ()

    @property
    def trained(self) -> tuple[str, ...]:
        """The organs that the recipe's networks segment."""
        return self.organs
