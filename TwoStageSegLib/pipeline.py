"""locate -> crop -> segment -> place: the only orchestration, the same for command line, worker, Slicer and browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from .cautions import cautions
from .device import Device, choose_device
from .errors import Cancelled, InputRefused, UsageError
from .mask import Mask
from .model import Model
from .region import Region
from .review.findings import OrganReview
from .review.suspicion import check_sides, judge
from .systems import System, create
from .systems.base import Progress
from .volume import Volume


@dataclass(frozen=True)
class OrganResult:
    """What came out for one organ: its region, its mask (None if not located or empty), seconds by stage, its review
    (None if there is no mask, or the model has nothing to judge it by)."""

    organ: str
    region: Region
    mask: Mask | None
    seconds: dict[str, float] = field(default_factory=dict)
    review: OrganReview | None = None


@dataclass(frozen=True)
class Result:
    """One run: a result per organ asked for, in the model's order."""

    organs: tuple[OrganResult, ...]
    device: str
    seconds: dict[str, float]
    notices: tuple[str, ...] = ()

    @property
    def located(self) -> tuple[OrganResult, ...]:
        return tuple(o for o in self.organs if o.mask is not None)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(o.organ for o in self.organs if o.mask is None)


class Review(StrEnum):
    """How much is done to find suspicious slices: nothing, what is free, or a second look at every organ as well."""

    OFF = "off"
    QUICK = "quick"
    FULL = "full"


class Pipeline:
    """Runs one model on volumes, keeping the networks and the last volume's automatic regions warm."""

    def __init__(self, model: Model, device: str = "auto"):
        self.model = model
        self.device: Device = choose_device(device)
        self.system: System = create(model, self.device)
        self._checked: Volume | None = None
        self._located: tuple[Volume, dict[str, Region]] | None = None

    def locate(self, volume: Volume, organs: Iterable[str] | None = None) -> dict[str, Region]:
        """Automatic regions. The locator finds all organs at once and runs once per volume."""
        wanted = self._wanted(organs)
        self._check(volume)
        if self._located is None or self._located[0] is not volume:
            self._located = (volume, self.system.locate(volume, self.model.manifest.organ_names))
        return {name: self._located[1][name] for name in wanted}

    def run(
        self,
        volume: Volume,
        organs: Iterable[str] | None = None,
        regions: Mapping[str, Region] | None = None,
        progress: Progress = lambda stage, organ, fraction: None,
        cancelled: Callable[[], bool] = lambda: False,
        review: Review = Review.QUICK,
    ) -> Result:
        """Locate what has no region yet, then segment each organ in its crop.

        Parameters
        ----------
        organs : TG-263 names; None for all of the model's.
        regions : clicks and boxes that replace the automatic location.
        progress : called as work proceeds. cancelled : asked between steps; True raises Cancelled.
        review : whether the slices are judged, and whether every organ is segmented a second time for that.
        """
        started = time.perf_counter()
        given = dict(regions or {})
        wanted = self._wanted(organs)
        self._wanted(given)
        self._check(volume)
        for region in given.values():
            region.check_inside(volume.geometry)

        def step(stage: str, organ: str, fraction: float) -> None:
            if cancelled():
                raise Cancelled
            progress(stage, organ, fraction)

        step("locate", "", 0.0)
        automatic = [name for name in wanted if name not in given]
        found = {**(self.locate(volume, automatic) if automatic else {}), **given}
        located_at = time.perf_counter()
        results = []
        for i, name in enumerate(wanted):
            step("segment", name, 0.2 + 0.8 * i / len(wanted))
            region = found[name]
            before = time.perf_counter()
            mask = self.system.segment(volume, region) if region.usable else None
            if mask is not None and mask.empty:
                mask = None
            segmented = time.perf_counter()
            judged = None if mask is None else self._judge(volume, mask, region, review)
            seconds = {"segment": segmented - before, "review": time.perf_counter() - segmented}
            results.append(OrganResult(name, region, mask, seconds, judged))
        results = _with_sides(results)
        step("done", "", 1.0)
        seconds = {"locate": located_at - started, "total": time.perf_counter() - started}
        said = (*volume.notices, *cautions(volume, given.values(), self.model.manifest), *self.device.notices)
        return Result(tuple(results), self.device.text, seconds, said)

    def review(
        self, volume: Volume, mask: Mask, region: Region | None = None, depth: Review = Review.QUICK
    ) -> OrganReview | None:
        """Judge a mask of ``volume`` that a person has edited, or that came from elsewhere.

        Parameters
        ----------
        region : where the organ was segmented; None for the mask's own box. If that is what was segmented last, its
            networks do not run again.

        Returns
        -------
        None if the mask is empty or the model has nothing to judge this organ by.
        """
        self._wanted([mask.organ])
        self._check(volume)
        if mask.empty:
            return None
        place = region if region is not None and region.usable else mask.tight_box()
        return self._judge(volume, mask, place, depth)

    def _judge(self, volume: Volume, mask: Mask, region: Region, review: Review) -> OrganReview | None:
        organ = self.model.manifest.organ(mask.organ)
        if review == Review.OFF or organ.review is None:
            return None
        return judge(mask, self.system.evidence(volume, region, review == Review.FULL), volume, organ)

    def _check(self, volume: Volume) -> None:
        """Refuse, once per volume, what is not the kind of image that the model was trained on."""
        if self._checked is volume:
            return
        wanted = self.model.manifest.input.modality
        if wanted == "CT":
            from .io import check_ct

            check_ct(volume)
        elif volume.modality not in ("", wanted):
            raise InputRefused(
                "E_MODALITY",
                f"The image is {volume.modality[:16]}, the model needs {wanted[:16]}. Choose another image.",
            )
        self._checked = volume

    def _wanted(self, organs: Iterable[str] | None) -> tuple[str, ...]:
        known = self.model.manifest.organ_names
        if organs is None:
            return known
        asked = tuple(organs)
        for name in asked:
            if name not in known:
                raise UsageError(
                    "E_ORGAN", f"The model {self.model.name} has no organ {name!r}. It has: {', '.join(known)}."
                )
        return tuple(name for name in known if name in asked)


def _with_sides(results: list[OrganResult]) -> list[OrganResult]:
    """The results with left and right checked against each other."""
    checked = check_sides(r.review for r in results if r.review is not None)
    return [replace(r, review=checked.get(r.organ)) for r in results]
