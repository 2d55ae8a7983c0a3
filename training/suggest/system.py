"""Which of the five published systems a data set asks for, by what each paper showed, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from .look import DataFacts, OrganFacts

SMALL_PERCENT = 0.5
LARGE_PERCENT = 2.5
MANY = 8
TINY_ML = 1.5
TIMES_LARGER = 20.0
LONG = 3.0  # times as long along z as across
LONG_SHARE = 0.3  # of the scan's slices
WANDERS = 5.0  # 95th over 5th percentile of the volume of what has no typical size


@dataclass(frozen=True)
class Choice:
    """A system and why; ``pays`` says per organ whether finding it first is worth its while."""

    system: str
    reasons: tuple[str, ...]
    pays: dict[str, str]


def choose(facts: DataFacts) -> Choice:
    """The first of the papers whose case this is; ``localise-crop`` where none is special."""
    organs = facts.organs
    one = organs[0] if len(organs) == 1 else None
    smallest, largest = (pick(organs, key=lambda o: o.volume_ml[1]) for pick in (min, max))
    if one and _wanders(one):
        system = "slice-filter"
        reason = (
            f"{one.organ} has no typical size (5 % to 95 %: {one.volume_ml[0]:.1f} to {one.volume_ml[2]:.1f} ml) nor "
            f"place and is on {one.slice_share:.0%} of the slices: papers/001 filters the slices first, which cuts "
            "false positives."
        )
    elif one and _long(one):
        system = "slice-centre"
        reason = (
            f"{one.organ} is long and thin ({one.extent_mm[0]:.0f} mm along z, {max(one.extent_mm[1:]):.0f} across): "
            "papers/000 follows such an organ by a centre per slice (esophagus 0.82 against 0.77 on whole images)."
        )
    elif len(organs) >= MANY and smallest.volume_ml[1] < TINY_ML and largest.volume_ml[1] > TIMES_LARGER * TINY_ML:
        system = "focus"
        reason = (
            f"{len(organs)} organs from {smallest.volume_ml[1]:.2f} ml ({smallest.organ}) to "
            f"{largest.volume_ml[1]:.0f} ml ({largest.organ}): papers/004 finds the small ones inside the maps of the "
            "large ones (small organs 0.69 to 0.77)."
        )
    elif len(organs) >= MANY:
        system = "multi-view"
        reason = (
            f"{len(organs)} organs in one region: papers/003 locates them all from three views and segments each in a "
            "box of its own (brainstem 0.88 against 0.82 in axial slices alone)."
        )
    else:
        system = "localise-crop"
        reason = "No case for the more special systems: papers/002, one locator and one segmenter."
    return Choice(system, (reason, *_general(organs)), {o.organ: _pays(o) for o in organs})


def _general(organs: tuple[OrganFacts, ...]) -> tuple[str, ...]:
    """What 002 says about the sizes of these organs."""
    large = [o for o in organs if o.percent >= LARGE_PERCENT]
    small = [o for o in organs if o.percent < SMALL_PERCENT]
    said = []
    if small:
        said.append(
            f"Small in the image ({_listed(small)}): this is where two stages win most (papers/002: pancreas, 0.2 % of "
            "its images, 0.65 against 0.44 in one stage)."
        )
    if large:
        said.append(
            f"Large in the image ({_listed(large)}): finding it first gains little and may lose (papers/002: prostate, "
            "2.7 %, 0.72 against 0.80 in one stage). Train the baseline too and compare: fit baseline."
        )
    return tuple(said)


def _pays(organ: OrganFacts) -> str:
    if organ.percent >= LARGE_PERCENT:
        return "one stage may do better"
    return "two stages win" if organ.percent < SMALL_PERCENT else "two stages gain a little"


def _listed(organs: list[OrganFacts]) -> str:
    shown = ", ".join(f"{o.organ} {o.percent:.2g} %" for o in organs[:6])
    return shown + (f" and {len(organs) - 6} more" if len(organs) > 6 else "")


def _long(o: OrganFacts) -> bool:
    return o.extent_mm[0] >= LONG * max(o.extent_mm[1:]) and o.slice_share >= LONG_SHARE


def _wanders(o: OrganFacts) -> bool:
    """Its size and its place both vary by more than an organ's do."""
    return o.volume_ml[2] > WANDERS * max(o.volume_ml[0], 1e-6) and o.place_sd_mm > max(o.extent_mm) / 3
