"""What every two-stage system can do, and how a bundle becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ..errors import ModelRefused
from ..mask import Mask
from ..model import Model
from ..region import Region
from ..review.evidence import Evidence
from ..volume import Volume

if TYPE_CHECKING:
    from ..device import Device

Progress = Callable[[str, str, float], None]
"""Called with (stage, organ or "", fraction 0..1 of the whole run)."""


class System(Protocol):
    """A two-stage system. It may keep what it computed while locating the current volume."""

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A region for every organ asked for; one that is not found has status NOT_LOCATED."""

    def segment(self, volume: Volume, region: Region) -> Mask:
        """The organ of ``region``, segmented in the crop around it and placed in the input's grid."""

    def evidence(self, volume: Volume, region: Region, again: bool) -> Evidence:
        """What the organ's last mask rests on, for the review; ``again``: with a second look at a moved crop."""

    def self_test(self) -> None:
        """Run the bundle's tiny input; raise ModelRefused if the output is not what its manifest expects."""


def create(model: Model, device: Device) -> System:
    """The running system of a bundle: networks built, weights loaded and checked."""
    from .focus import Focus
    from .localise_crop import LocaliseCrop
    from .multi_view import MultiView
    from .slice_centre import SliceCentre
    from .slice_filter import SliceFilter

    systems: dict[str, Callable[[Model, Device], System]] = {
        "localise-crop": LocaliseCrop,
        "slice-centre": SliceCentre,
        "slice-filter": SliceFilter,
        "multi-view": MultiView,
        "focus": Focus,
    }
    kind = systems.get(model.manifest.system)
    if kind is None:
        raise ModelRefused(f"The bundle needs the system {model.manifest.system[:40]!r}, which this version lacks.")
    return kind(model, device)
