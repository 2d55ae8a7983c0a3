"""The recipe's three bundles: what each trains, and that its networks are what the running system accepts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.methods import method
from training.methods.slice_centre.parts import network_spec
from training.recipes.esophagus_ct_centre import CHUNK, COARSE, RECIPE
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.systems.runner import build


@pytest.mark.parametrize(
    ("recipe", "names", "roles", "drawer"),
    [
        (RECIPE, ("locate", "chunk", "segment"), {"locate", "chunk", "segment"}, "segment"),
        (COARSE, ("locate", "segment-coarse"), {"locate", "segment"}, "segment"),
        (CHUNK, ("locate", "chunk"), {"locate", "chunk"}, "chunk"),
    ],
)
def test_what_each_bundle_needs(recipe, names, roles, drawer, tmp_path):
    how = method("slice-centre")
    assert how.names(recipe) == names
    assert {b.network for b in recipe.budgets} == set(names)
    parts = how.parts(recipe, tmp_path)
    assert set(parts.networks) == roles and parts.organs[0].network == drawer
    assert parts.parameters["field_mm"] == 192 and parts.parameters["chunk_slices"] == 32


def test_field_and_crops_are_whole_numbers_of_the_networks_poolings():
    for role, size in (("locate", 192 / 1.5), ("segment", 96 / 2), ("chunk", 96 / 2)):
        spec = network_spec(RECIPE, role)
        assert size % build(spec).multiple == 0 and spec.outputs == ["Esophagus"]


def test_refused():
    with pytest.raises(UsageError, match="for one organ, not 2"):
        replace(RECIPE, organs=("Esophagus", "Larynx"))
    with pytest.raises(UsageError, match="drawer must be one of fine, coarse, chunk"):
        replace(RECIPE, drawer="both")


def test_an_unknown_network(tmp_path):
    with pytest.raises(UsageError, match="no network 'other'; it has: locate, chunk, segment, segment-coarse"):
        method("slice-centre").task("other", RECIPE, [], [], tmp_path)
