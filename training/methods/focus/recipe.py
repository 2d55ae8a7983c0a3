"""What a recipe of ``focus`` says: everything that decides the result, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from TwoStageSegLib.systems.focus_requirements import pooled_inputs

from ...recipes.common import CommonRecipe
from . import HEAT, MAIN, SHAPES, SMALL, TOGETHER

KINDS = ("scale-free", "paper", "published code")


@dataclass(frozen=True, kw_only=True)
class FocusRecipe(CommonRecipe):
    """Sizes in voxels (z, y, x) of ``spacing`` (mm, z y x), unless their names say mm.

    Parameters
    ----------
    small : the organs that SOL-Net locates and an SOS-Net each segments. Left and right have networks of their own:
        the engine does not mirror here.
    field_mm, chunk_slices, chunk_stride : what S-Net sees, see ``focus_requirements.DEFAULTS``.
    widths, growth : of S-Net. heat_width, small_width : of SOL-Net and the SOS-Nets. shape_widths, shape_latent : of
        the autoencoder, one for all small organs (Table 9: 64-128-128-256 and 512).
    roi : what an SOS-Net and the autoencoder see, multiples of 8. concat : S-Net's features and the heatmap are pooled
        as well as the scan (Table 6 without: "no concat").
    shapes : "adversarial" (FocusNetv2), "plain" (Table 6's "origin AE") or "none" (FocusNetv1).
    adversary : "scale-free", or as printed in the "paper" or the "published code" (``losses.shape``).
    class_weights : alpha of the focal loss, background first; () for the inverse of the mean sizes, as printed.
    balance : lambda of the Dice losses; 1 is printed, 0.2 is in the published code.
    small_weights, small_balance : the same of an SOS-Net: alpha of background and organ; 0.5 in the published code.
    whole_share : of the chunks for the small organs' networks that are drawn to hold one of them whole.
    jitter_mm : standard deviation of a click from the organ's middle. lost_mm : a peak further off is no location.
    chunks : per batch. masks : per batch of the autoencoder alone.
    """

    system: ClassVar[str] = "focus"

    small: tuple[str, ...] = ("Larynx", "Parotid_L", "Parotid_R")
    spacing: tuple[float, float, float] = (3.0, 3.0, 3.0)
    field_mm: float = 252.0
    chunk_slices: int = 32
    chunk_stride: int = 16
    widths: tuple[int, int, int] = (16, 24, 32)
    growth: int = 16
    heat_width: int = 16
    small_width: int = 16
    shape_widths: tuple[int, int, int, int] = (8, 16, 16, 32)
    shape_latent: int = 64
    roi: tuple[int, int, int] = (24, 24, 24)
    concat: bool = True
    shapes: str = "adversarial"
    adversary: str = "scale-free"
    class_weights: tuple[float, ...] = ()
    balance: float = 1.0
    small_weights: tuple[float, float] = (0.5, 1.0)
    small_balance: float = 1.0
    heat_sigma_mm: float = 5.0
    whole_share: float = 0.9
    jitter_mm: float = 4.0
    lost_mm: float = 25.0
    chunks: int = 1
    masks: int = 8
    box_slack_mm: float = 3.0

    def __post_init__(self) -> None:
        if self.shapes not in ("adversarial", "plain", "none") or self.adversary not in KINDS:
            raise ValueError(f"no such shape constraint: {self.shapes!r}, {self.adversary!r}")

    @property
    def phases(self) -> tuple[str, ...]:
        """What is trained, in order."""
        return tuple(n for n in (MAIN, HEAT, SHAPES, SMALL, TOGETHER) if n != SHAPES or self.shapes != "none")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Of S-Net. It segments the small organs too: that is what makes its features worth pooling."""
        return ("background", *self.organs)

    @property
    def inputs(self) -> int:
        """Channels that an SOS-Net gets."""
        return pooled_inputs(self.widths[0]) if self.concat else 1


def role(organ: str) -> str:
    """The role of a small organ's network in the bundle, as ``small-parotid-l``."""
    return f"{SMALL}-{organ.lower().replace('_', '-')}"
