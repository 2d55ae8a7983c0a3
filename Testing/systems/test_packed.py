"""Weights in steps of -127..127: what comes back, what is refused, and that a bundle runs with them."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from TwoStageSegLib.systems.packed import packed, unpacked


def test_by_hand() -> None:
    weight = torch.tensor([[1.27, -0.64, 0.0], [0.0, 0.0, 0.0]])
    steps, size = packed(weight)
    assert steps.tolist() == [[127, -64, 0], [0, 0, 0]] and float(size[0]) == pytest.approx(0.01)
    back = unpacked({"w.steps": steps, "w.size": size, "b": torch.ones(2)})
    assert set(back) == {"w", "b"}
    assert back["w"].tolist() == pytest.approx(np.array([[1.27, -0.64, 0], [0, 0, 0]]), abs=1e-6)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(-1e3, 1e3, width=32)))
def test_no_weight_is_off_by_more_than_half_a_step(values: np.ndarray) -> None:
    weight = torch.from_numpy(values)
    steps, size = packed(weight)
    off = (unpacked({"w.steps": steps, "w.size": size})["w"] - weight).abs()
    assert bool((off <= size[:, None] * 0.5001 + 1e-30).all())


def test_names_that_only_look_like_it_stay() -> None:
    tensors = {"pool.size": torch.ones(3)}
    assert unpacked(tensors) == tensors


@pytest.mark.parametrize(
    "broken",
    [
        {"w.steps": torch.zeros(2, 3, dtype=torch.int8)},
        {"w.steps": torch.zeros(2, 3), "w.size": torch.ones(2)},
        {"w.steps": torch.zeros(2, 3, dtype=torch.int8), "w.size": torch.ones(3)},
        {"w.steps": torch.zeros(2, 3, dtype=torch.int8), "w.size": torch.ones(2, dtype=torch.int64)},
        {"w.steps": torch.zeros(2, dtype=torch.int8), "w.size": torch.ones(2)},
        {"w.steps": torch.zeros(2, 3, dtype=torch.int8), "w.size": torch.ones(2), "w": torch.ones(2, 3)},
    ],
)
def test_halves_that_do_not_belong_together(broken: dict[str, torch.Tensor]) -> None:
    with pytest.raises(RuntimeError, match="packed weight 'w' is not whole"):
        unpacked(broken)
