"""The smallest recipe of ``multi-view`` on the box cases, and a finished run of it: two steps each."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.augment import IntensityRange, PoseRange
from training.data.prepared import Case, load_cases
from training.methods.multi_view.recipe import MultiViewRecipe
from training.recipes.common import Budget
from training.recipes.recipe import Target

STILL = PoseRange(rotation_deg=0.0, scale=(1.0, 1.0), stretch=0.0, shift_mm=0.0)
PLAIN = IntensityRange(contrast=(1.0, 1.0), offset=0.0, noise=0.0)

TINY = MultiViewRecipe(
    name="tiny-views",
    organs=("Brainstem", "Parotid_R", "Parotid_L"),
    clip=(-400.0, 800.0),
    centre=-288.0,
    scale=1200.0,
    mirror=False,
    view_spacing=(2.5, 4.0, 4.0),
    view_widths=(8, 8, 16, 16),
    view_slices=4,
    weight_cap=10.0,
    held_out=0.34,
    fine_spacing=(2.5, 4.0, 4.0),
    fine_widths=(8, 8, 16, 16),
    fine_batch=2,
    squeeze=4,
    average_mirror=False,
    recentre_mm=0.0,
    poses=STILL,
    intensities=PLAIN,
    targets=(
        Target("Brainstem", "Brainstem", (16, 16, 16), 1.0, network="fine-brainstem"),
        Target("Parotid_R", "Parotid_R", (16, 16, 16), 0.5, network="fine-parotid"),
        Target("Parotid_L", "Parotid_R", (16, 16, 16), 0.5, network="fine-parotid"),
    ),
    budgets=tuple(
        Budget(name, 2, decay_steps=1, every=2)
        for name in ("axial", "coronal", "sagittal", "fusion", "fine-brainstem", "fine-parotid")
    ),
)


@pytest.fixture
def recipe() -> MultiViewRecipe:
    return TINY


@pytest.fixture
def cases(prepared: Path) -> tuple[list[Case], list[Case]]:
    return load_cases(prepared, "train"), load_cases(prepared, "validation")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No couch, no mask, no blur: with the recipe above, samples are what is in the scan."""
    monkeypatch.setattr("training.tasks.base.paint", lambda ct, *rest: ct)
    monkeypatch.setattr("training.tasks.base.intensity", lambda ct, *rest: ct)


@pytest.fixture(scope="session")
def views_run(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every network of the recipe, two steps each: good for nothing but being there."""
    from training.fit import FitOptions
    from training.train import load, train_all

    run = tmp_path_factory.mktemp("views-run")
    list(train_all(TINY, load(TINY, prepared), run, FitOptions(half=False), quiet=True))
    return run


@pytest.fixture(scope="session")
def views_bundle(prepared: Path, views_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's bundle, not calibrated: what was trained for two steps locates nothing."""
    from training.export import export
    from training.methods.multi_view import METHOD
    from training.sources import PHANTOM

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(METHOD), "calibrated", lambda self, model, validation: model.manifest)
        folder = tmp_path_factory.mktemp("views-bundle") / "tiny-views"
        return export(TINY, PHANTOM, views_run, folder, load_cases(prepared, "validation"), "1.0.0").folder
