"""Is the fusion better than its views (papers/003, Table I): Dice on the coarse grid of each view alone, of all three
with equal weights, and with the learned ones.

``python -m training.methods.multi_view.ablation --bundle DIR --data DIR --split test --grade A --to FILE.md`` writes
the table there, and every case's figures beside it as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.device import choose_device
from TwoStageSegLib.errors import TwoStageSegError, UsageError
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import Model, load_model
from TwoStageSegLib.outputs.atomic import atomic_file
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.coarse import coarse_body
from TwoStageSegLib.systems.multi_view import MultiView
from TwoStageSegLib.systems.runner import Runner
from TwoStageSegLib.systems.view_requirements import view_weights
from TwoStageSegLib.systems.views import VIEWS, fused
from TwoStageSegLib.volume import Volume

from ...data.prepared import Case, load_cases
from ...reference import volume_of
from ...sampling import Pose, draw
from .ablation_table import EQUAL, LEARNED, WAYS, Row, summary, table


class Remembered:
    """A view that is asked about the same slices several times and looks at them once."""

    def __init__(self, runner: Runner):
        self.runner, self.answers, self.asked = runner, list[NDArray[np.float32]](), 0

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.asked == len(self.answers):
            self.answers.append(self.runner(batch))
        self.asked += 1
        return self.answers[self.asked - 1]

    def again(self) -> Remembered:
        self.asked = 0
        return self


def weightings(learned: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """``(views, outputs)`` of every way to join the views."""
    alone = {view: np.zeros_like(learned) for view in VIEWS}
    for i, weights in enumerate(alone.values()):
        weights[i] = 1
    return alone | {EQUAL: np.full_like(learned, 1 / len(VIEWS)), LEARNED: learned}


def ablation(model: Model, cases: Sequence[Case], device: str = "auto") -> list[Row]:
    """A row per case and whole organ: Dice of every way (most probable class, on the coarse grid)."""
    system = create(model, choose_device(device))
    if not isinstance(system, MultiView):
        raise UsageError("E_USAGE", f"{model.name} is of the system {model.manifest.system}, which has no views.")
    return [row for case in cases for row in _rows(system, case)]


def _rows(system: MultiView, case: Case) -> list[Row]:
    volume: Volume = volume_of(case)
    axial = system.views["axial"]
    found = coarse_body(volume, axial.spec.spacing_mm, system.preprocess)
    organs = [o for o in axial.spec.outputs if case.whole(o)]
    if found is None:
        return [{"case": case.name, "organ": organ, **dict.fromkeys(WAYS, 0.0)} for organ in organs]
    grid, body = found
    image = system.preprocess.normalised(system.preprocess.padded(body, axial.network.multiple))
    z, y, x = body.shape
    centre = np.asarray(grid.start) + np.asarray(grid.step) * (np.asarray(body.shape) - 1) / 2
    spacing = axial.spec.spacing_mm
    pose = Pose(centre, (spacing[0], spacing[1], spacing[2]), (z, y, x), np.eye(3), np.ones(3))
    truth = draw(case, pose, tuple(organs)).labels.numpy() > 0.5
    views = {role: Remembered(runner) for role, runner in system.views.items()}
    chosen = {}
    for way, weights in weightings(system.weights).items():
        networks = {role: view.again() for role, view in views.items()}
        chosen[way] = fused(image, networks, weights).argmax(0)[:z, :y, :x]  # type: ignore[arg-type]
    numbers = {organ: axial.spec.outputs.index(organ) for organ in organs}
    return [
        {"case": case.name, "organ": organ} | {way: float(dice(chosen[way] == numbers[organ], own)) for way in WAYS}
        for organ, own in zip(organs, truth, strict=True)
    ]


def write(model: Model, cases: Sequence[Case], to: Path, about: str, device: str = "auto") -> str:
    """Measure, write ``to`` (Markdown) and the same name with ``.json``; the table."""
    if to.suffix == ".json":
        raise UsageError("E_USAGE", "--to names the table; its figures go beside it as JSON. Choose a name in .md.")
    rows = ablation(model, cases, device)
    figures = summary(rows, model.manifest.organ_names)
    weights = dict(zip(VIEWS, view_weights(model.manifest).tolist(), strict=True))
    text = table(figures, about)
    content = {"about": about, "model": model.name, "sha256": model.sha256, "view_weights": weights}
    figures_text = json.dumps({**content, "summary": figures, "rows": rows}, indent=1) + "\n"
    with atomic_file(to) as temporary:
        temporary.write_text(text, encoding="utf-8")
    with atomic_file(to.with_suffix(".json")) as temporary:
        temporary.write_text(figures_text, encoding="utf-8")
    return text


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", required=True, help="installed name or folder")
    parser.add_argument("--data", type=Path, required=True, help="prepared cases")
    parser.add_argument("--split", default="test")
    parser.add_argument("--grade", default="", help="only cases of this grade")
    parser.add_argument("--limit", type=int, default=0, help="only the first cases")
    parser.add_argument("--to", type=Path, required=True, help="table (.md); figures go beside it (.json)")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    try:
        cases = [c for c in load_cases(options.data, options.split) if options.grade in ("", c.grade)]
        cases = cases[: options.limit] if options.limit else cases
        if not cases:
            raise UsageError("E_CASES", f"None of the {options.split} cases has grade {options.grade!r}.")
        grade = f" of grade {options.grade}" if options.grade else ""
        about = f"{len(cases)} {options.split} cases{grade} ({options.data.name}), whole organs only"
        sys.stdout.write(write(load_model(options.bundle), cases, options.to, about, options.device))
    except (FileNotFoundError, TwoStageSegError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
