"""hn-oar-ct: seven organs at risk in head-and-neck CT with the system ``localise-crop`` (papers/002). The whole method.

002 trains one locator and one segmenter per organ. Here one locator finds all organs at once, and the segmenters share
one trunk with a channel per organ: with partial labels and 50 to 160 contours per organ, what one organ teaches about
anatomy helps the others, and the bundle has two networks instead of fourteen. Left and right parotid share a channel
by mirroring. 002's own discussion asks for training on imperfect boxes: every crop is jittered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..augment import PoseRange
from ..data.prepared import ORGANS


@dataclass(frozen=True)
class Target:
    """One organ of the segmenter: the crop it is trained on and how often it is drawn.

    ``channel`` names the output in the right-sided frame; ``shape`` is in voxels (z, y, x); ``along_z`` draws random
    windows along a long organ instead of its centre.
    """

    organ: str
    channel: str
    shape: tuple[int, int, int]
    share: float
    along_z: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result. Sizes in voxels (z, y, x), spacings in mm (z, y, x)."""

    name: str = "hn-oar-ct"
    organs: tuple[str, ...] = ORGANS
    clip: tuple[float, float] = (-300.0, 700.0)
    centre: float = 0.0
    scale: float = 150.0
    locate_spacing: tuple[float, float, float] = (6.0, 6.0, 6.0)
    locate_shape: tuple[int, int, int] = (48, 40, 64)
    locate_widths: tuple[int, ...] = (16, 32, 64, 96)
    locate_batch: int = 2
    segment_spacing: tuple[float, float, float] = (2.5, 3.0, 3.0)
    segment_widths: tuple[int, ...] = (24, 48, 96, 160)
    segment_batch: int = 4
    baseline_shape: tuple[int, int, int] = (48, 48, 48)
    baseline_foreground: float = 0.8
    lr: float = 1e-3
    weight_decay: float = 1e-4
    ema: float = 0.998
    poses: PoseRange = PoseRange()
    targets: tuple[Target, ...] = field(
        default=(
            Target("Brainstem", "Brainstem", (40, 32, 32), 0.15),
            Target("SpinalCord", "SpinalCord", (64, 24, 24), 0.15, along_z=True),
            Target("Parotid_R", "Parotid_R", (32, 32, 32), 0.15),
            Target("Parotid_L", "Parotid_R", (32, 32, 32), 0.15),
            Target("Esophagus", "Esophagus", (64, 32, 24), 0.14),
            Target("Larynx", "Larynx", (32, 32, 32), 0.14),
            Target("Bone_Mandible", "Bone_Mandible", (48, 48, 56), 0.12),
        )
    )

    @property
    def channels(self) -> tuple[str, ...]:
        """Outputs of the segmenter, in order."""
        return tuple(dict.fromkeys(t.channel for t in self.targets))


RECIPE = Recipe()
