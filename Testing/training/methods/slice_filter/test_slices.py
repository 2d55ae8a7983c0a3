"""Training sees what inference sees: the same slices, the same pixels, the same values up to the scan's border."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from training.data.prepared import KnownOrgan
from training.methods.slice_filter.augmented import plain, taken, whole
from training.methods.slice_filter.slices import balanced, preprocess_of, sliced
from training.reference import volume_of
from training.tasks.base import normalise
from TwoStageSegLib.systems.slice_field import Field
from TwoStageSegLib.systems.slice_positive import classified


class Recorder:
    """Stands in for a network of the running system: remembers its input, says nothing."""

    def __init__(self, pixel_mm: float, multiple: int):
        self.spec = SimpleNamespace(spacing_mm=[3.0, pixel_mm, pixel_mm])
        self.network = SimpleNamespace(multiple=multiple)
        self.batches: list[np.ndarray] = []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        return np.zeros((len(batch), 2), np.float32)


@pytest.mark.parametrize(("field_mm", "pixel_mm"), [(64.0, 1.5), (48.0, 1.3), (96.0, 1.0)])
def test_training_sees_what_the_running_system_sees(wide, tiny, field_mm, pixel_mm):
    """The scan measures 66 x 60 mm: the first field is about as large, the last one reaches beyond it everywhere."""
    recipe = replace(tiny, field_mm=field_mm)
    network, preprocess = Recorder(pixel_mm, 16), preprocess_of(recipe)
    seen = classified(volume_of(wide), network, preprocess, field_mm)
    engine = np.concatenate(network.batches)

    (s,) = sliced([wide], recipe, pixel_mm)
    assert list(s.slices) == list(seen.positive) == list(range(14))
    field = s.field(field_mm, pixel_mm, 16)
    assert np.array_equal(s.images(field, preprocess), engine)  # validation
    for z in (0, 5, 13):  # training, without anything random
        ct, organ, _ = taken(s, z, plain(field.pixels, pixel_mm), whole(wide.ct.shape[1:]))
        assert np.abs(normalise(ct, recipe).numpy() - engine[z, 0]).max() < 2e-3  # positions are rounded to float32
        assert np.array_equal(organ.numpy() > 0.5, s.masks(field)[z])


def test_larger_pixels_average_as_the_running_system_does(wide, tiny):
    """Pixels of 4 mm hold 2 x 2.7 voxels: a Gaussian in training, a triangle in the engine. Noise of 0..100 HU (sd 29)
    without any filter would differ by 20 and more."""
    (s,) = sliced([wide], tiny, 4.0)
    field, preprocess = s.field(48.0, 4.0, 4), preprocess_of(tiny)
    ct, _, _ = taken(s, 1, plain(field.pixels, 4.0), whole(wide.ct.shape[1:]))
    engine = preprocess.sampled(s.volume, field.grid(s.slices))[1]
    assert np.sqrt(np.mean((ct.numpy() - engine) ** 2)) < 4


def test_the_outermost_voxel_reaches_to_its_face_and_air_follows(wide, tiny):
    """Worked out by hand: columns are 1.5 mm, the middle lies at 19.5, so the right face is 30 mm from it."""
    (s,) = sliced([wide], tiny, 1.0)
    assert s.middle == pytest.approx((16.0, 19.5))
    offsets = np.array([[[0.0, 29.3], [0.0, 29.9], [0.0, 30.1]]])
    ct, organ, outside = taken(s, 5, offsets, whole((33, 40)))
    assert ct[0, 0] == ct[0, 1] == wide.ct[5, 16, 39]
    assert ct[0, 2] == -1024 and outside[0, 2] >= 1 and not organ.any()


def test_which_slices_show_the_organ(wide, tiny):
    (s,) = sliced([wide], tiny, 1.0)
    assert np.flatnonzero(s.shows).tolist() == [4, 5, 6, 7, 8, 9]


def test_an_unknown_organ_is_no_negative_an_absent_one_is(wide, tiny):
    unknown = replace(wide, known={}, absent=())
    assert sliced([unknown], tiny, 1.0) == []
    (s,) = sliced([replace(wide, known={}, absent=("Brainstem",))], tiny, 1.0)
    assert not s.shows.any() and not s.mask(5).any() and s.box is None


def test_the_field_is_as_large_as_the_poolings_ask(wide):
    geometry = volume_of(wide).standard.geometry
    field = Field.of((16.0, 19.5), 60.0, (2.0, 2.0), 16, geometry)
    assert field.pixels == (32, 32)  # 30 pixels, up to a multiple of 16
    assert field.step == pytest.approx((1.0, 2 / 1.5))
    assert field.start == pytest.approx((16.0 - 15.5, 19.5 - 15.5 * 2 / 1.5))


def test_a_batch_is_balanced_and_short_data_repeat():
    shows = np.array([True] * 10 + [False] * 90)
    drawn = balanced(shows, 1.0, 20, np.random.default_rng(0))
    assert shows[drawn].sum() == 10 and len(set(drawn[~shows[drawn]])) == 10
    assert len(balanced(shows, 1.0, 50, np.random.default_rng(0))) == 50
    assert not (~shows[balanced(shows, 0.0, 30, np.random.default_rng(0))]).any()
    again = balanced(shows, 1.0, 20, np.random.default_rng(1))
    assert set(drawn[~shows[drawn]]) != set(again[~shows[again]])
    with pytest.raises(ValueError, match="no slice"):
        balanced([], 1.0, 4, np.random.default_rng(0))


def test_the_box_is_in_voxel_faces(wide, tiny):
    (s,) = sliced([replace(wide, known={"Brainstem": KnownOrgan([[4, 10], [10, 20], [12, 24]], 1.0)})], tiny, 1.0)
    assert s.box is not None and s.box.tolist() == [[9.5, 11.5], [19.5, 23.5]]
