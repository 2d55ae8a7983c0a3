"""The two recipes are bundles that the running system takes, and say what the paper's sizes are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.methods import method
from training.methods.slice_filter.recipe import PAPER_WIDTH, PAPER_WIDTHS
from training.recipes import RECIPES
from TwoStageSegLib.networks.resnet import SliceClassifier
from TwoStageSegLib.networks.sanet import SANet
from TwoStageSegLib.systems.runner import build

NAMES = [name for name, (recipe, _) in RECIPES.items() if recipe.system == "slice-filter"]


def test_both_recipes_are_there_with_and_without_filter():
    assert sorted(NAMES) == ["gtv-ct-filter", "gtv-ct-filter-off", "larynx-ct-filter", "larynx-ct-filter-off"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_describes_networks_that_training_makes(name):
    """The manifest's description builds exactly what the tasks train: same names and shapes of weights."""
    recipe, source = RECIPES[name]
    parts = method(recipe.system).parts(recipe, Path("none"))
    made = {
        "locate": SliceClassifier(1, 2, recipe.locate_widths),
        "segment": SANet(1, 2, recipe.segment_widths, recipe.segment_width, recipe.dropout),
    }
    for role, network in made.items():
        described = build(parts.networks[role])
        assert {k: v.shape for k, v in described.state_dict().items()} == {
            k: v.shape for k, v in network.state_dict().items()
        }
    assert [b.network for b in recipe.budgets] == list(method(recipe.system).names(recipe))
    assert all(b.steps == 7 * b.restarts for b in recipe.budgets)  # three whole cycles: 1 + 2 + 4
    assert (parts.parameters["slice_threshold"] > 0.1) == recipe.filtered == (not name.endswith("-off"))
    assert source.title and recipe.organ in ("GTV", "Larynx")


@pytest.mark.parametrize("name", NAMES)
def test_no_field_is_rounded_up_unseen(name):
    """Both networks see the same square: a field that is no multiple would give each its own."""
    recipe, _ = RECIPES[name]
    for pixel_mm, multiple in ((recipe.locate_pixel_mm, 32), (recipe.segment_pixel_mm, 16)):
        assert (recipe.field_mm / pixel_mm / multiple).is_integer()


def test_the_papers_widths_are_an_option():
    recipe, _ = RECIPES["gtv-ct-filter"]
    paper = replace(recipe, locate_widths=PAPER_WIDTHS, segment_widths=PAPER_WIDTHS, segment_width=PAPER_WIDTH)
    networks = method("slice-filter").parts(paper, Path("none")).networks
    count = {role: sum(p.numel() for p in build(spec).parameters()) / 1e6 for role, spec in networks.items()}
    assert count == {"locate": pytest.approx(11.17, abs=0.01), "segment": pytest.approx(12.71, abs=0.01)}


def test_an_unknown_network_is_said(tmp_path):
    from TwoStageSegLib.errors import UsageError

    recipe, _ = RECIPES["gtv-ct-filter"]
    with pytest.raises(UsageError, match="no network 'coarse'; it has: locate, segment"):
        method("slice-filter").task("coarse", recipe, [], [], tmp_path)
    with pytest.raises(UsageError, match="needs training and validation cases with GTV"):
        method("slice-filter").task("locate", recipe, [], [], tmp_path)


def test_sanet_needs_two_slices(tiny, tmp_path):
    with pytest.raises(ValueError, match="two slices"):
        method("slice-filter").task("segment", replace(tiny, segment_batch=1), [], [], tmp_path)
