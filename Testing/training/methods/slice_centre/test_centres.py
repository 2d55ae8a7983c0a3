"""Errors of centres: drawn as they follow each other, guessed without a locator, measured once per locator."""

from __future__ import annotations

import os

import numpy as np
import pytest
from safetensors.torch import save_file

from training.methods.slice_centre import centres
from training.methods.slice_centre.centres import coarse_errors, drawn_errors, fine_errors


def test_neighbouring_errors_stay_together():
    errors = np.arange(10.0)[:, None] * [1.0, 10.0]
    for seed in range(20):
        drawn = drawn_errors(errors, 4, np.random.default_rng(seed))
        assert (np.diff(drawn[:, 0]) % 10 == 1).all()
        assert np.array_equal(np.abs(drawn[:, 1]), 10 * drawn[:, 0]) and len(set(np.sign(drawn[1:, 1]))) <= 2
    assert len(drawn_errors(errors, 25, np.random.default_rng(0))) == 25


def test_without_a_locator_they_are_the_recipes(tiny, tmp_path):
    errors = coarse_errors(tiny, tmp_path, [])
    assert errors.shape == (1000, 2) and errors.std() == pytest.approx(3.0, rel=0.1)
    assert np.array_equal(fine_errors(tiny, tmp_path, []), errors)
    assert not list(tmp_path.iterdir())


def test_measured_once_and_again_for_new_weights(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "locate"
    folder.mkdir()
    save_file({}, folder / "best.safetensors")
    found = [np.array([[1.0, 2.0], [0.0, 40.0]]), np.array([[5.0, 5.0]])]
    monkeypatch.setattr(centres, "_of_locator", lambda *arguments: found.pop(0))
    # 40 mm in a crop of 64 mm is no error but another object
    assert coarse_errors(tiny, tmp_path, []).tolist() == [[1, 2]]
    assert coarse_errors(tiny, tmp_path, []).tolist() == [[1, 2]]
    later = (folder / "errors.npy").stat().st_mtime + 10
    os.utime(folder / "best.safetensors", (later, later))
    assert coarse_errors(tiny, tmp_path, []).tolist() == [[5, 5]]
    assert sorted(p.name for p in folder.iterdir()) == ["best.safetensors", "errors.npy"]
