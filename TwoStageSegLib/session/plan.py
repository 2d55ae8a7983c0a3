"""What a run would do to the segments that are there: replace, add beside, leave alone, or ask first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .target import Origin, Overwrite, Policy


@dataclass(frozen=True)
class Question:
    """A run waits for an answer: these segments are a person's work. See ``Session.answer``."""

    overwrites: tuple[Overwrite, ...]
    organs: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """``organs`` are computed and written by ``policies``; ``kept`` are not even computed."""

    organs: tuple[str, ...]
    kept: tuple[str, ...]
    policies: dict[str, Policy]


def plan(
    organs: tuple[str, ...],
    policies: Mapping[str, Policy],
    origin_of: Callable[[str], Origin],
    decided: Policy | None,
) -> Plan | Question:
    """Decide for every organ, or find out that a person has to be asked.

    Parameters
    ----------
    organs : that shall be run. policies : what was chosen for each. origin_of : whose an organ's segment is.
    decided : the answer to an earlier question, for the segments that a person has worked on.
    """
    origins = {organ: origin_of(organ) for organ in organs}
    worked_on = [o for o in organs if origins[o] in (Origin.EDITED, Origin.FOREIGN)]
    doomed = [o for o in worked_on if policies[o] is Policy.REPLACE]
    if doomed and decided is None:
        return Question(tuple(Overwrite(o, origins[o]) for o in doomed), organs)
    final = {**policies, **(dict.fromkeys(doomed, decided) if decided is not None else {})}
    kept = tuple(o for o in organs if final[o] is Policy.KEEP and origins[o] is not Origin.NONE)
    return Plan(tuple(o for o in organs if o not in kept), kept, final)
