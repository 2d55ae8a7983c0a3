"""What a recipe of ``localise-crop`` says: everything that decides the result, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from TwoStageSegLib.errors import UsageError

from ..data.prepared import Case
from .common import CommonRecipe


@dataclass(frozen=True)
class Target:
    """One organ of the segmenter: the crop it is trained on and how often it is drawn.

    ``channel`` names the output in the right-sided frame; ``shape`` is in voxels (z, y, x); ``along_z`` draws random
    windows along a long organ instead of its centre; ``click_shape`` is the crop around a click where that must be
    larger than the training crop; ``network`` is the role of the network that segments it; ``average_mirror``: the
    answer is the mean of the crop's and its mirror image's (not of paired organs).
    """

    organ: str
    channel: str
    shape: tuple[int, int, int]
    share: float
    along_z: bool = False
    network: str = "segment"
    click_shape: tuple[int, int, int] | None = None
    average_mirror: bool = True

    @property
    def crop_shape(self) -> tuple[int, int, int]:
        """Smallest crop of the running system."""
        return self.click_shape or self.shape


@dataclass(frozen=True)
class Recipe(CommonRecipe):
    """Everything that decides the result. Sizes in voxels (z, y, x), spacings in mm (z, y, x).

    ``locate_jitter_mm``: how far the locator's windows are moved off what they are centred on. ``locate_patch``: see
    ``patch`` of ``networks.unet``, and there for ``skips`` and ``norm_last``; ``as_published`` has both as in 002's
    code.
    """

    system: ClassVar[str] = "localise-crop"

    targets: tuple[Target, ...]
    outputs: tuple[str, ...] = ()
    locate_spacing: tuple[float, float, float] = (6.0, 6.0, 6.0)
    locate_shape: tuple[int, int, int] = (48, 40, 64)
    locate_widths: tuple[int, ...] = (16, 32, 64, 96)
    locate_patch: int = 1
    locate_batch: int = 2
    locate_jitter_mm: float = 60.0
    locate_negatives: float = 0.15
    segment_spacing: tuple[float, float, float] = (2.5, 3.0, 3.0)
    segment_widths: tuple[int, ...] = (24, 48, 96, 160)
    segment_batch: int = 4
    skips: bool = True
    norm_last: bool = False
    baseline_shape: tuple[int, int, int] = (48, 48, 48)
    baseline_foreground: float = 0.8
    average_mirror: bool = True
    box_slack_mm: float = 3.0
    recentre_mm: float = 8.0

    def unet(self, outputs: int, widths: tuple[int, ...]) -> dict[str, Any]:
        """Arguments of one of the recipe's networks, as ``networks.unet.UNet`` takes them."""
        plain = {"dims": 3, "inputs": 1, "outputs": outputs, "widths": widths, "groups": 8}
        options = {"skips": self.skips, "norm_last": self.norm_last}
        return plain | ({} if self.skips and not self.norm_last else options)

    def locator(self) -> dict[str, Any]:
        """Arguments of the locator."""
        patch = {"patch": self.locate_patch} if self.locate_patch > 1 else {}
        return self.unet(len(self.organs), self.locate_widths) | patch

    @property
    def trained(self) -> tuple[str, ...]:
        return tuple(t.organ for t in self.targets)

    @property
    def channels(self) -> tuple[str, ...]:
        """Outputs of every segmenter, in order."""
        if self.outputs:
            return self.outputs
        return tuple(dict.fromkeys(t.channel for t in self.targets))

    @property
    def segmenters(self) -> tuple[str, ...]:
        """Roles of the segmentation networks; ``segment`` is trained on every organ, the others start from it."""
        return tuple(dict.fromkeys(("segment", *(t.network for t in self.targets))))

    def only(self, network: str) -> Recipe:
        """The recipe with the targets of one segmentation network; ``segment`` keeps all."""
        if network == "segment":
            return self
        return replace(self, targets=tuple(t for t in self.targets if t.network == network), outputs=self.channels)


def check_cases(recipe: CommonRecipe, cases: Sequence[Case]) -> None:
    """Refuse cases that the recipe is not for. Raises UsageError (E_RECIPE)."""
    other = next((c.modality for c in cases if c.modality != recipe.modality), None)
    if other is not None:
        raise UsageError("E_RECIPE", f"The recipe {recipe.name} is for {recipe.modality}, the cases are {other}.")
    if not any(organ in c.known for c in cases for organ in recipe.trained):
        organs = ", ".join(dict.fromkeys(organ for c in cases for organ in c.known))
        raise UsageError("E_RECIPE", f"None of the organs of {recipe.name} is in the cases, which have: {organs}.")


def as_published(recipe: Recipe) -> Recipe:
    """The recipe with the networks of 002's published code: no skip connections (they are commented out there), the
    norm after the ReLU, and as many channels on every level."""
    return replace(
        recipe,
        name=f"{recipe.name}-as-published",
        skips=False,
        norm_last=True,
        locate_widths=(recipe.locate_widths[1],) * len(recipe.locate_widths),
        segment_widths=(recipe.segment_widths[1],) * len(recipe.segment_widths),
    )
