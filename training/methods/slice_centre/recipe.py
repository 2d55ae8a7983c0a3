"""What a recipe of ``slice-centre`` says: everything that decides the result, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from TwoStageSegLib.errors import UsageError

from ...recipes.common import CommonRecipe

DRAWERS = ("fine", "coarse", "chunk")


@dataclass(frozen=True, kw_only=True)
class SliceCentreRecipe(CommonRecipe):
    """One organ. Distances in mm; the slices are always the scan's own, pixels are square.

    Parameters
    ----------
    drawer : what draws the mask. "fine": the 2D network around the 3D mask's centres (the paper's best); "coarse": a 2D
        network around the locator's centres; "chunk": the 3D network. The three can share a run.
    locate_spacing_mm, field_mm : pixels and side of the square, around the body's middle, that the locator sees.
    locate_positive : part of a batch's slices that show the organ. locate_jitter_mm : how far the field is moved.
    overlap, least_radius : size of the heatmap's Gaussian: IoU rule of ``heatmaps.overlap_radius``, at least so many
        cells (by the rule alone an organ of 3 cells is one cell).
    crop_mm : side of both segmenters' crops. slice_..., chunk_... : of the 2D network and of the 3D network.
    chunk_slices : depth of the 3D network's crops. pools : of its poolings, per axis.
    ends_mm : how far the track of a training chunk, and the slices without organ that the 2D network is shown, go
        beyond the contour's ends (standard deviation; greatest distance). empty : part of such slices.
    alpha : weight of the focal loss. alpha_rule : adapt it to the volume ratio at each validation; a run whose loss
        depends on its validation cannot be repeated, and a resumed one begins with ``alpha`` again.
    error_mm : error of the centres that the segmenters are trained on while there is no network to measure it of.
    gap_mm, reach_mm, box_slack_mm : see ``slice_requirements.DEFAULTS``; the gap is measured in the end.
    """

    system: ClassVar[str] = "slice-centre"

    drawer: str = "fine"
    locate_spacing_mm: float = 0.97
    field_mm: float = 186.24
    locate_widths: tuple[int, ...] = (64, 128, 256, 512)
    locate_up: tuple[int, int, int] = (256, 256, 256)
    locate_hidden: int = 64
    locate_batch: int = 32
    locate_positive: float = 0.5
    locate_jitter_mm: float = 10.0
    overlap: float = 0.7
    least_radius: int = 1
    crop_mm: float = 108.64
    slice_spacing_mm: float = 0.97
    slice_widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    slice_batch: int = 32
    chunk_spacing_mm: float = 0.97
    chunk_slices: int = 32
    chunk_widths: tuple[int, ...] = (32, 64, 128, 256)
    pools: tuple[tuple[int, int, int], ...] = ((1, 2, 2), (2, 2, 2), (2, 2, 2))
    chunk_batch: int = 2
    ends_mm: float = 8.0
    empty: float = 0.1
    alpha: float = 1.0
    alpha_rule: bool = False
    error_mm: float = 5.0
    gap_mm: float = 6.0
    reach_mm: float = 12.0
    box_slack_mm: float = 3.0

    def __post_init__(self) -> None:
        if len(self.organs) != 1:
            raise UsageError("E_RECIPE", f"{self.name}: this system is for one organ, not {len(self.organs)}.")
        if self.drawer not in DRAWERS:
            raise UsageError("E_RECIPE", f"{self.name}: the drawer must be one of {', '.join(DRAWERS)}.")

    @property
    def organ(self) -> str:
        return self.organs[0]
