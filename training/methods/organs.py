"""One organ of a bundle before anything is measured: name, code and colour, crop and network."""

from __future__ import annotations

from collections.abc import Sequence

from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.structures import structure, structures

COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Of organs that the table of structures does not know, by turns: Okabe and Ito 2008, told apart by everybody."""

ANY_SCORE = 0.01


def organ_spec(
    name: str,
    output: int,
    crop_mm: Sequence[float],
    network: str = "segment",
    mirror: bool = False,
    number: int = 0,
) -> OrganSpec:
    """An organ that is found wherever it is looked for: margins, scores and threshold are ``Method.calibrated``'s.

    ``number``: its place among the bundle's organs, for a colour where the table of structures has none.
    """
    known = structure(name)
    return OrganSpec(
        name=name,
        output=output,
        mirror=mirror,
        crop_mm=[float(c) for c in crop_mm],
        margin_mm=[0.0] * 6,
        located_score=ANY_SCORE,
        low_score=ANY_SCORE,
        threshold=0.5,
        volume_ml=[0.0, 1e6],
        terminology=known.terminology,
        rgb=list(known.rgb if name in structures() else COLOURS[number % len(COLOURS)]),
        network=network,
    )
