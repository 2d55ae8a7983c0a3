"""A run becomes a bundle: its roles, what is not in it, other runs that share its first phases, and one that works."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.data.prepared import load_cases
from training.export import export
from training.fit import FitOptions
from training.methods.focus import METHOD
from training.recipes import recipe as by_name
from training.recipes.common import Budget
from training.reference import mask_of, volume_of
from training.sources import PHANTOM
from training.train import load, train_all
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.runner import build

ROLES = {"segment", "locate", "small-parotid-r", "small-parotid-l"}
QUICK = FitOptions(half=False)


def test_every_role_has_its_weights_and_the_autoencoder_is_left_out(recipe, focus_run: Path) -> None:
    networks, states = METHOD.parts(recipe, focus_run).networks, METHOD.states(recipe, focus_run, "best")
    assert set(networks) == set(states) == ROLES
    for role, spec in networks.items():
        build(spec).load_state_dict(states[role])  # raises if they do not fit


def test_without_the_joint_phase_it_is_what_the_phases_left(recipe, focus_run: Path, tmp_path: Path) -> None:
    for name in ("main", "heat", "small"):
        shutil.copytree(focus_run / name, tmp_path / name)
    states = METHOD.states(recipe, tmp_path, "final")
    main, small = load_file(tmp_path / "main" / "best.safetensors"), load_file(tmp_path / "small" / "final.safetensors")
    assert all(torch.equal(main[k], v) for k, v in states["segment"].items())
    assert all(torch.equal(small[f"small-parotid-l.{k}"], v) for k, v in states["small-parotid-l"].items())


def test_version_one_shares_the_first_phases(recipe, prepared: Path, focus_run: Path, tmp_path: Path) -> None:
    """Table 6's comparison: the same S-Net and SOL-Net, small networks without the autoencoder."""
    for name in ("main", "heat"):
        (tmp_path / name).symlink_to(focus_run / name)
    alone = replace(recipe, shapes="none")
    assert METHOD.names(alone) == ("main", "heat", "small", "together")
    before = (focus_run / "main" / "best.safetensors").read_bytes()
    lines = list(train_all(alone, load(alone, prepared), tmp_path, QUICK, quiet=True))
    assert len(lines) == 4 and not (tmp_path / "shapes").exists()
    assert (focus_run / "main" / "best.safetensors").read_bytes() == before
    assert not any(k.startswith("shapes") for k in load_file(tmp_path / "small" / "best.safetensors"))


def test_phases_are_named_and_asked_for_in_order(recipe, cases, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it has: main, heat, shapes, small, together"):
        METHOD.task("segment", recipe, *cases, tmp_path)
    with pytest.raises(UsageError, match="main"):
        METHOD.task("heat", recipe, *cases, tmp_path)


@pytest.mark.parametrize("name", ["", "-v1", "-plain", "-raw"])
def test_the_shipped_recipes_are_whole(name: str) -> None:
    chosen, _ = by_name(f"hn-oar-ct-focus{name}")
    assert [b.network for b in chosen.budgets] == list(METHOD.names(chosen))
    networks = METHOD.parts(chosen, Path()).networks
    assert len(networks) == 5 and networks["segment"].outputs[0] == "background"
    assert networks["small-larynx"].arguments["inputs"] == (1 if name == "-raw" else 34)


@pytest.mark.slow
def test_a_bundle_that_learnt_one_case_segments_it(recipe, prepared: Path, tmp_path: Path) -> None:
    case = load_cases(prepared, "validation")[0]
    steps = {"main": 100, "heat": 80, "shapes": 40, "small": 60, "together": 6}
    overfit = replace(
        recipe, spacing=(2.5, 3.0, 3.0), field_mm=120.0, widths=(8, 8, 8), small_width=8, heat_width=8, mirror=False,
        chunk_slices=40, chunk_stride=20, roi=(16, 16, 16), balance=1.0,
        budgets=tuple(
            Budget(n, k, decay_steps=k // 2, every=k, lr=5e-4 if n == "together" else 5e-3) for n, k in steps.items()
        ),
    )  # fmt: skip
    list(train_all(overfit, ([case], [case]), tmp_path / "run", FitOptions(), quiet=True))
    model = export(overfit, PHANTOM, tmp_path / "run", tmp_path / "tiny-focus", [case], "1.0.0")
    system, volume = create(model, Device("cpu", "CPU", half=False)), volume_of(case)
    found = system.locate(volume, overfit.organs)
    for organ in overfit.organs:
        mask = system.segment(volume, found[organ])
        assert dice(mask.full(), mask_of(case, organ, volume).full()) > 0.95, organ
