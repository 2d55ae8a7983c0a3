"""The smallest recipe of ``focus`` on the box cases: two small organs, one that S-Net has for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.augment import IntensityRange, PoseRange
from training.data.prepared import Case, load_cases
from training.methods.focus.recipe import FocusRecipe
from training.recipes.common import Budget

TINY = FocusRecipe(
    name="tiny-focus",
    organs=("Brainstem", "Parotid_R", "Parotid_L"),
    small=("Parotid_R", "Parotid_L"),
    spacing=(2.5, 4.0, 4.0),
    field_mm=144.0,
    chunk_slices=24,
    chunk_stride=12,
    widths=(4, 4, 4),
    growth=2,
    heat_width=4,
    small_width=4,
    shape_widths=(4, 4, 4, 4),
    shape_latent=8,
    roi=(16, 8, 8),
    class_weights=(1.0, 1.0, 1.0, 1.0),
    masks=2,
    ema=0.9,
    poses=PoseRange(rotation_deg=0.0, scale=(1.0, 1.0), stretch=0.0, shift_mm=0.0),
    intensities=IntensityRange(contrast=(1.0, 1.0), offset=0.0, noise=0.0),
    jitter_mm=2.0,
    budgets=tuple(Budget(name, 2, decay_steps=1, every=2) for name in ("main", "heat", "shapes", "small", "together")),
)


@pytest.fixture
def recipe() -> FocusRecipe:
    return TINY


@pytest.fixture
def cases(prepared: Path) -> tuple[list[Case], list[Case]]:
    return load_cases(prepared, "train"), load_cases(prepared, "validation")


@pytest.fixture(scope="session")
def focus_run(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every phase, two steps each."""
    from training.fit import FitOptions
    from training.train import load, train_all

    run = tmp_path_factory.mktemp("focus-run")
    list(train_all(TINY, load(TINY, prepared), run, FitOptions(half=False), quiet=True))
    return run
