"""What a recipe of ``multi-view`` says: everything that decides the result, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from TwoStageSegLib.systems.views import VIEWS

from ...recipes.common import CommonRecipe
from ...recipes.recipe import Recipe, Target

BACKGROUND = "background"
COUNTED, AS_PRINTED, STANDARD = "counted", "as printed", "standard"


@dataclass(frozen=True, kw_only=True)
class MultiViewRecipe(CommonRecipe):
    """Everything that decides the result. Sizes in voxels (z, y, x), spacings in mm (z, y, x).

    Parameters
    ----------
    targets : the fine stage's organs; ``network`` is the role of an organ's own net, which two sides share.
    view_spacing : the coarse grid. view_widths, fine_widths : channels per level, three poolings in the paper.
    squeeze, norm : of the channel attention (r) and "batch" or "group"; the same for all networks.
    view_cases, view_slices, view_stride : a batch is so many parallel slices, so many slices of the grid apart, of so
        many cases (16 slices in the paper). view_near : share of them in a contoured organ's part of the body; the
        others lie anywhere (0 in the paper).
    view_weighting : "counted": the weights of equation 2 from the true counts of the training set, none more than
        ``weight_cap`` times the smallest; "as printed": from the batch's own predictions.
    held_out : share of the training cases that the views never see, on which their fusion is learned.
    fine_dice : "standard", 1 - G, or "as printed", 1 - G/M (equation 3). fine_order : the fine networks that are
        trained first, for others to begin with.
    """

    system: ClassVar[str] = "multi-view"

    targets: tuple[Target, ...]
    view_spacing: tuple[float, float, float] = (4.0, 4.0, 4.0)
    view_widths: tuple[int, ...] = (16, 32, 64, 128)
    view_cases: int = 2
    view_slices: int = 8
    view_stride: int = 3
    view_near: float = 0.7
    view_weighting: str = COUNTED
    weight_cap: float = 100.0
    held_out: float = 0.15
    fine_spacing: tuple[float, float, float] = (2.5, 3.0, 3.0)
    fine_widths: tuple[int, ...] = (16, 32, 64, 128)
    fine_batch: int = 4
    fine_dice: str = STANDARD
    fine_order: tuple[str, ...] = ()
    squeeze: int = 8
    norm: str = "batch"
    average_mirror: bool = True
    box_slack_mm: float = 3.0
    recentre_mm: float = 8.0

    def __post_init__(self) -> None:
        """Refuse names of options that do not exist: a typing error would train another method."""
        if self.view_weighting not in (COUNTED, AS_PRINTED) or self.fine_dice not in (STANDARD, AS_PRINTED):
            raise ValueError(f"the recipe {self.name} names a loss that does not exist")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Classes of the three views, in order."""
        return (BACKGROUND, *self.organs)

    @property
    def multiple(self) -> int:
        """What the sides of the views' slices are multiples of."""
        return int(2 ** (len(self.view_widths) - 1))

    @property
    def fine(self) -> tuple[str, ...]:
        """Names of the fine networks, which are also their roles in the bundle."""
        return tuple(dict.fromkeys(t.network for t in self.targets))

    @property
    def networks(self) -> tuple[str, ...]:
        """All that ``fit`` trains, in order."""
        return (*VIEWS, "fusion", *dict.fromkeys((*self.fine_order, *self.fine)))

    @property
    def trained(self) -> tuple[str, ...]:
        return tuple(t.organ for t in self.targets)

    def of(self, network: str) -> Recipe:
        """One fine network's part in the words of ``localise-crop``, whose second stage takes its crops alike."""
        common = {f.name: getattr(self, f.name) for f in fields(CommonRecipe)}
        return Recipe(
            **common,
            targets=tuple(t for t in self.targets if t.network == network),
            segment_spacing=self.fine_spacing,
            segment_widths=self.fine_widths,
            segment_batch=self.fine_batch,
        )
