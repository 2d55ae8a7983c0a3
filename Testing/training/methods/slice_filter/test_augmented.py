"""Random slices: image and label stay together, erasure spares the organ, surroundings stay outside the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from training.augment import PoseRange
from training.data.prepared import load_cases
from training.methods.slice_filter.augmented import SALTED, augmented, erased, plain, posed, salted, taken, whole
from training.methods.slice_filter.slices import sliced


@pytest.fixture
def unblurred(monkeypatch: pytest.MonkeyPatch) -> None:
    """No scanner differences at all: some samples are blurred or sharpened whatever the recipe says."""
    monkeypatch.setattr("training.methods.slice_filter.augmented.intensity", lambda ct, rng, r: ct)


def grown(mask: torch.Tensor) -> torch.Tensor:
    """One pixel wider everywhere."""
    return F.max_pool2d(mask, 3, 1, 1)


def test_pixels_lie_around_the_middle():
    assert plain((2, 2), 3.0).tolist() == [[[-1.5, -1.5], [-1.5, 1.5]], [[1.5, -1.5], [1.5, 1.5]]]


def test_a_pose_turns_zooms_and_moves_in_plane():
    """All offsets of a square keep their order and, without stretch, their ratios."""
    poses = PoseRange(rotation_deg=20.0, scale=(1.1, 1.1), stretch=0.0, shift_mm=7.0)
    square = plain((2, 2), 10.0)
    for seed in range(5):
        moved = posed(square, poses, np.random.default_rng(seed))
        sides = np.linalg.norm(moved[:, 0] - moved[:, 1], axis=-1), np.linalg.norm(moved[0] - moved[1], axis=-1)
        assert np.concatenate(sides) == pytest.approx(11.0)
        assert np.linalg.norm(moved.mean((0, 1))) > 0
        a, b = moved[0, 1] - moved[0, 0], moved[1, 0] - moved[0, 0]
        assert a @ b == pytest.approx(0, abs=1e-9) and b[0] * a[1] - b[1] * a[0] > 0  # a right angle, not mirrored


@pytest.mark.parametrize("seed", range(4))
def test_image_and_label_move_together(wide, tiny, seed):
    """The organ is what is brighter than all else; whatever the pose, flip and mirror, its label lies on it."""
    recipe = replace(
        tiny, poses=PoseRange(15.0, (0.8, 1.25), 0.1, 5.0), mirror=True, flip=0.5, erase=0.5, erase_mm=30.0
    )
    (s,) = sliced([wide], recipe, 1.0)
    sample = augmented(s, 6, (48, 48), 1.0, recipe, np.random.default_rng(seed))
    assert sample["image"].shape == sample["organ"].shape == (1, 48, 48)
    organ = sample["organ"]
    bright = (sample["image"] > 250 / 150).float()  # 300 HU inside, at most 100 around
    assert organ.sum() > 200
    assert not (bright * (1 - grown(organ))).any()  # a pixel at the border: it may be blurred or sharpened
    assert not ((1 - bright) * (1 - grown(1 - organ))).any()


def test_mirror_and_flip_are_exact(wide, tiny, unblurred):
    (s,) = sliced([wide], tiny, 1.0)
    as_is = augmented(s, 6, (32, 32), 1.0, tiny, np.random.default_rng(0))
    flipped = augmented(s, 6, (32, 32), 1.0, replace(tiny, flip=1.0), np.random.default_rng(0))
    assert torch.equal(flipped["image"], as_is["image"].flip(-2))
    assert torch.equal(flipped["organ"], as_is["organ"].flip(-2))
    mirrored = [augmented(s, 6, (32, 32), 1.0, replace(tiny, mirror=True), np.random.default_rng(i)) for i in range(8)]
    assert {torch.equal(m["image"], as_is["image"].flip(-1)) for m in mirrored} == {True, False}


def test_erasure_takes_strips_and_never_the_organ(wide, tiny):
    """Rows of 2 mm, columns of 1.5: the organ's box has rows 10..19 of 33 and columns 12..23 of 40."""
    recipe = replace(tiny, erase=1.0, erase_mm=1000.0)
    (s,) = sliced([wide], recipe, 1.0)
    windows = [erased(s, recipe, np.random.default_rng(i)) for i in range(40)]
    first, last = np.array([w[0] for w in windows]), np.array([w[1] for w in windows])
    assert (first <= [9.5, 11.5]).all() and (last >= [19.5, 23.5]).all()
    assert (first == [9.5, 11.5]).any() and (first > -0.5).all()  # up to 1000 mm: mostly all there is
    gentle = [erased(s, replace(recipe, erase_mm=4.0), np.random.default_rng(i)) for i in range(40)]
    assert max(w[0][0] for w in gentle) == pytest.approx(-0.5 + 4 / 2, abs=0.2)
    assert max(w[0][1] for w in gentle) == pytest.approx(-0.5 + 4 / 1.5, abs=0.2)
    never = erased(s, tiny, np.random.default_rng(0))
    assert np.array_equal(never, whole((33, 40)))


def test_what_is_erased_is_air(wide, tiny):
    (s,) = sliced([wide], tiny, 1.0)
    ct, organ, _ = taken(s, 6, plain((66, 60), 1.0), (np.array([9.5, -0.5]), np.array([32.5, 39.5])))
    assert (ct[:20] == -1024).all() and (ct[20:] > -1024).all()  # 66 mm from row -0.5 on: 20 mm are 10 rows
    assert organ[:20].sum() == 0 and organ[20:].sum() > 0


def test_salt_and_pepper_have_the_windows_ends(tiny):
    image = torch.zeros(1, 200, 200)
    spoiled = salted(image, replace(tiny, salt=1.0), np.random.default_rng(1))
    low, high = -300 / 150, 700 / 150
    assert {round(v, 4) for v in spoiled.unique().tolist()} == {round(low, 4), 0.0, round(high, 4)}
    share = float((spoiled != 0).float().mean())
    assert 0 < share < 1.2 * SALTED
    assert torch.equal(salted(image, tiny, np.random.default_rng(1)), image)


def test_surroundings_are_painted_outside_only(prepared, tiny, unblurred):
    recipe = replace(tiny, field_mm=144.0, surroundings=True)
    (s,) = sliced(load_cases(prepared, "validation"), recipe, 2.0)
    size, spaced = (72, 72), plain((72, 72), 2.0)
    as_is = augmented(s, 20, size, 2.0, replace(recipe, surroundings=False), np.random.default_rng(0))["image"][0]
    inside = taken(s, 20, spaced, whole((36, 36)))[2] == 0
    changed = 0
    for seed in range(6):
        image = augmented(s, 20, size, 2.0, recipe, np.random.default_rng(seed))["image"][0]
        assert torch.equal(image[inside], as_is[inside])
        changed += not torch.equal(image, as_is)
    assert changed >= 3
