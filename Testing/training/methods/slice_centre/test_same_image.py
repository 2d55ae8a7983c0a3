"""What a network is trained on, without augmentation, is what the running system shows it, value by value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.methods.slice_centre import draw_task, finish_slice
from training.methods.slice_centre.chunk_task import ChunkTask
from training.methods.slice_centre.flat_task import FlatTask
from training.methods.slice_centre.heat_task import HeatTask
from training.methods.slice_centre.live import LiveRunner
from training.methods.slice_centre.slices import organ_slices
from training.reference import volume_of
from training.tasks.base import normalise
from TwoStageSegLib.systems.slice_draw import draw_chunks, draw_slices
from TwoStageSegLib.systems.slice_heat import slice_heat

EXACT = np.zeros((5, 2))


class Recorder(LiveRunner):
    """Keeps what it is shown."""

    def __init__(self, task):
        super().__init__(task.spec, task.network().eval(), torch.device("cpu"))
        self.images: list[np.ndarray] = []

    def __call__(self, batch, exact=False):
        self.images.extend(batch)
        return super().__call__(batch, exact)


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No surroundings and no noise."""
    for module in (draw_task, finish_slice):
        monkeypatch.setattr(module, "finish", lambda crop, case, pose, recipe, rng: normalise(crop.ct, recipe)[None])


def test_the_locators_field(whole, tiny):
    task = HeatTask(tiny, [whole], [])
    recorder = Recorder(task)
    heat = slice_heat(volume_of(whole), recorder, task.preprocess, tiny.field_mm)
    case, _, middle = task.shown[0]
    for z in (0, 8, 20, 35):
        sample = task._sample(case, z, middle, np.random.default_rng(0))
        assert sample["image"].shape == (1, 64, 64)
        assert np.abs(sample["image"].numpy() - recorder.images[z]).max() < 1e-4
    # and the target's peak is where the running system would read the centre, to half a cell of 8 mm
    target = task._sample(case, 12, middle, np.random.default_rng(0))["heat"][0].numpy()
    heat.maps["Esophagus"][12] = target
    _, found = heat.peak("Esophagus", 12)
    true = organ_slices(whole, "Esophagus").centre_at(12)
    assert (np.abs(found - true) * 4 <= 4.01).all()


def test_the_crop_of_a_slice(whole, tiny):
    task = FlatTask("segment", tiny, [whole], [], EXACT)
    slices, recorder = organ_slices(whole, "Esophagus"), Recorder(task)
    drawing = draw_slices(volume_of(whole), slices.track, task.organ, recorder, task.preprocess)
    rng = np.random.default_rng(3)
    z = FlatTask._slice(task, whole, slices, np.random.default_rng(3))
    sample = task.sample(whole, slices, rng)
    assert sample["image"].shape == (1, 32, 32)
    assert np.abs(sample["image"].numpy() - recorder.images[z - 8]).max() < 1e-4
    # the label's 4 x 6 voxels are 8 x 12 pixels in the middle of the crop
    assert float(sample["labels"].sum()) == pytest.approx(96, abs=1e-3)
    assert float(sample["labels"][0, 12:20, 10:22].min()) >= 0.5
    assert drawing.start[0] == 7


def test_the_chunks(whole, tiny):
    """20 slices in chunks of 16: the first from the contour's beginning, the last to its end."""
    task = ChunkTask("chunk", tiny, [whole], [], EXACT)
    slices, recorder = organ_slices(whole, "Esophagus"), Recorder(task)
    draw_chunks(volume_of(whole), slices.track, task.organ, recorder, task.preprocess, tiny.chunk_slices)
    assert len(recorder.images) == 2
    seen = set()
    for seed in range(6):
        sample = task.sample(whole, slices, np.random.default_rng(seed))
        gaps = [np.abs(sample["image"].numpy() - image).max() for image in recorder.images]
        assert min(gaps) < 1e-4
        seen.add(int(np.argmin(gaps)))
    assert seen == {0, 1}
