"""What a recipe of ``slice-filter`` says (Shi, papers/001): everything that decides the result, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...recipes.common import CommonRecipe

PAPER_WIDTHS = (64, 128, 256, 512)
"""Channels of ResNet18's four stages in the paper, for the classifier (11.17 M parameters) and for SANet's encoder."""

PAPER_WIDTH = 128
"""Channels of SANet's decoder in the paper; with ``PAPER_WIDTHS`` it has 12.71 M parameters."""


@dataclass(frozen=True, kw_only=True)
class SliceFilterRecipe(CommonRecipe):
    """One organ, two 2D networks. Of ``poses`` the in-plane part counts: z is never touched.

    Parameters
    ----------
    field_mm : side of the square around the body's middle that both networks see of a slice (the paper stretches the
        body's own rectangle to 512 x 512 instead, and loses sizes in mm).
    locate_pixel_mm, segment_pixel_mm : their pixels. slice_mm : slice thickness of the data, for the record.
    locate_theta, segment_theta : slices without the target per slice with it (section 3.4); None: all there are.
    alpha : weight of the regularisation in the CR loss (section 3.3).
    flip : part of the samples that are turned upside down, the paper's "vertical flip".
    erase : probability, per side of the image, that a strip of up to ``erase_mm`` is blanked, never of the target's
        box; the paper's "random erasure" does it on one side.
    salt : probability that a sample gets salt-and-pepper noise.
    surroundings : paint couches and the like outside the body, for CTs that were blanked there.
    crop_mm : (z, y, x) around a click. volume_ml : range of plausible volumes, where validation cannot show it.
    filtered : False is the paper's ablation "SANet alone": the same two networks, but every slice of the body is drawn.
    """

    system: ClassVar[str] = "slice-filter"

    field_mm: float
    locate_pixel_mm: float
    segment_pixel_mm: float
    slice_mm: float
    locate_widths: tuple[int, ...] = PAPER_WIDTHS
    segment_widths: tuple[int, ...] = PAPER_WIDTHS
    segment_width: int = PAPER_WIDTH
    dropout: float = 0.1
    locate_batch: int = 32
    segment_batch: int = 16
    locate_theta: float | None = 1.0
    segment_theta: float | None = 1.0
    alpha: float = 0.1
    flip: float = 0.0
    erase: float = 0.0
    erase_mm: float = 64.0
    salt: float = 0.1
    surroundings: bool = True
    crop_mm: tuple[float, float, float] = (60.0, 80.0, 80.0)
    volume_ml: tuple[float, float] | None = None
    filtered: bool = True

    @property
    def organ(self) -> str:
        """The only one: the classifier answers one question."""
        (organ,) = self.organs
        return organ
