"""Learning rates and orders of training that ``fit`` does not know: warm restarts, the phases of papers/004."""

from __future__ import annotations

import math
from dataclasses import dataclass


def cosine_restarts(epoch: float, first: int = 20, growth: int = 2, lowest: float = 0.0) -> float:
    """Factor on the learning rate: half a cosine from 1 to ``lowest`` over each cycle (Loshchilov 2017; papers/001).

    Cycles last ``first`` epochs, then ``growth`` times as many as the one before: restarts at 20, 60 and 140.
    ``epoch`` may be fractional.
    """
    length: float = first
    while epoch >= length:
        epoch -= length
        length *= growth
    return lowest + (1 - lowest) * (1 + math.cos(math.pi * epoch / length)) / 2


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Parameters
    ----------
    name : of the phase.
    turns : sets of networks that are stepped; with several sets they take turns within every batch, each with its own
        loss, in this order. Networks in no set are frozen (also their batch statistics).
    lr, weight_decay : of Adam. share : of the whole run's steps.
    uses : frozen networks whose outputs the phase needs.
    """

    name: str
    turns: tuple[tuple[str, ...], ...]
    share: float
    lr: float = 5e-4
    weight_decay: float = 0.0
    uses: tuple[str, ...] = ()

    def steps(self, total: int) -> int:
        return max(1, round(self.share * total))


FOCUS = (
    Phase("main", (("s-net",),), 0.5),
    Phase("locate", (("sol-net",),), 0.1, uses=("s-net",)),
    Phase("shapes", (("autoencoder",),), 0.05),
    # "G is first optimized by fixing D", then D with G fixed; the published code has the opposite order
    Phase("small organs", (("sos-net",), ("autoencoder",)), 0.25, uses=("s-net", "sol-net")),
    Phase("together", (("s-net", "sol-net", "sos-net"), ("autoencoder",)), 0.1, lr=5e-5),
)
"""papers/004, section 4.2. The paper prints the order and Adam 5e-4, not how long; the last phase's rate is read in."""

FOCUS_WITHOUT_SHAPES = tuple(
    Phase(p.name, p.turns[:1], p.share, p.lr, p.weight_decay, p.uses) for p in FOCUS if p.name != "shapes"
)
"""FocusNetv1, the row without autoencoder in Table 6."""


def check_phases(phases: tuple[Phase, ...]) -> None:
    """Refuse a schedule in which a network is used before it was trained, or whose shares are no parts of one run."""
    trained: set[str] = set()
    for phase in phases:
        stepped = {name for turn in phase.turns for name in turn}
        if early := sorted(set(phase.uses) - trained):
            raise ValueError(f"the phase {phase.name!r} uses {early[0]!r}, which no phase before it trains")
        if both := sorted(stepped & set(phase.uses)):
            raise ValueError(f"the phase {phase.name!r} both steps and freezes {both[0]!r}")
        trained |= stepped
    if sum(p.share for p in phases) > 1 + 1e-9:
        raise ValueError("the phases' shares add up to more than the whole run")
