"""Training crops lie where they should: positions, mirror, unknown organs, what is beyond the scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from training.augment import PoseRange, random_pose, rotation_matrix
from training.data.prepared import Case
from training.sampling import Pose, draw, mirrored
from training.surroundings import paint

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L", "Larynx")


def pose(case: Case, centre, shape=(8, 8, 8), mirror: bool = False) -> Pose:
    return Pose(np.asarray(centre, float), case.spacing_zyx_mm, shape, np.eye(3), np.ones(3), mirror)


def test_plain_pose_returns_the_voxels_themselves(case: Case) -> None:
    crop = draw(case, pose(case, (19.5, 17.5, 17.5)), ORGANS)  # covers voxels 16..23, 14..21, 14..21: the brainstem
    assert torch.allclose(crop.ct, torch.from_numpy(case.ct[16:24, 14:22, 14:22].astype(np.float32)), atol=1e-2)
    assert torch.allclose(crop.labels[0], torch.ones(8, 8, 8), atol=1e-5)
    assert float(crop.labels[1:].max()) == 0.0


def test_mirror_turns_left_into_right(case: Case) -> None:
    centre = (21.5, 14.5, 27.0)  # the left parotid's centre
    crop = draw(case, pose(case, centre, (8, 6, 5), mirror=True), ORGANS)
    assert float(crop.labels[1].mean()) > 0.99  # seen as a right parotid
    assert float(crop.labels[2].max()) == 0.0
    off_centre = draw(case, pose(case, (21.5, 14.5, 25.0), (8, 6, 9), mirror=True), ORGANS)
    plain = draw(case, pose(case, (21.5, 14.5, 25.0), (8, 6, 9)), ORGANS)
    assert torch.allclose(off_centre.ct, plain.ct.flip(2), atol=1e-2)


def test_organs_change_sides_by_their_names() -> None:
    assert [mirrored(o) for o in ("Lung_L", "Eye_R", "Heart", "Lens")] == ["Lung_R", "Eye_L", "Heart", "Lens"]


def test_an_organ_that_the_data_set_does_not_have_is_unknown(case: Case) -> None:
    crop = draw(case, pose(case, case.centre_index("Brainstem")), ("Brainstem", "Heart"))
    assert crop.known.tolist() == [True, False] and not crop.labels[1].any() and crop.labels[0].any()


def test_beyond_an_mr_lies_the_low_end_of_its_range(case: Case) -> None:
    crop = draw(replace(case, modality="MR"), pose(case, (-40.0, 14.0, 14.0)), ORGANS)
    assert not crop.ct.any() and not crop.labels.any()  # not the first slice, over and over


def test_unknown_organs_are_flagged(case: Case) -> None:
    assert draw(case, pose(case, (20, 17, 17)), ORGANS).known.tolist() == [True, True, True, False]


def test_beyond_the_scan_is_air_without_labels(case: Case) -> None:
    crop = draw(case, pose(case, (45.0, 17.5, 17.5)), ORGANS)
    assert float(crop.ct.max()) <= -1000.0
    assert float(crop.labels.max()) == 0.0


def test_labels_keep_their_volume_under_rotation(case: Case) -> None:
    turn = rotation_matrix(np.deg2rad([10, -7, 5]))
    spacing = (2.0, 2.0, 2.0)
    crop = draw(case, Pose(case.centre_index("Brainstem"), spacing, (32, 32, 32), turn, np.ones(3)), ORGANS)
    true_ml = 8 * 8 * 8 * np.prod(case.spacing_zyx_mm)
    assert abs(float(crop.labels[0].sum()) * 8 - true_ml) / true_ml < 0.02


def test_rotation_matrices_are_rotations() -> None:
    matrix, scale, shift = random_pose(np.random.default_rng(3), PoseRange())
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) > 0.999
    assert ((scale > 0.8) & (scale < 1.3)).all()
    assert shift.shape == (3,)


def test_surroundings_leave_the_body_alone(case: Case) -> None:
    crop = draw(case, pose(case, (20, 20, 18), (24, 32, 32)), ORGANS)
    changed = 0
    for seed in range(12):
        painted = paint(crop.ct, crop.outside_mm, case.spacing_zyx_mm, 60.0, np.random.default_rng(seed))
        inside = crop.outside_mm == 0
        assert torch.equal(painted[inside], crop.ct[inside])
        changed += int((painted != crop.ct).any())
    assert changed >= 6
