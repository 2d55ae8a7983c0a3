"""What every layout is read into: one labelled case, in the image's own orientation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from TwoStageSegLib.mask import Mask
from TwoStageSegLib.volume import Volume


@dataclass(frozen=True)
class Labelled:
    """An image and the masks of what is contoured in it; organs that are not here are unknown.

    ``notices`` is what was odd without being wrong.
    """

    volume: Volume
    masks: list[Mask]
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RawCase:
    """One case of a data set: its name, and how to read it when its turn has come."""

    name: str
    read: Callable[[], Labelled]
