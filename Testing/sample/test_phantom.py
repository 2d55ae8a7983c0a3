"""The synthetic patient: reproducible, anatomically sane, the same at every spacing."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.sample.anatomy import ORGANS
from TwoStageSegLib.sample.phantom import Phantom, generate, write_sample

COARSE = (4.0, 4.0, 4.0)
VOLUMES_ML = {
    "Brainstem": (17, 40),
    "SpinalCord": (15, 40),
    "Parotid_R": (12, 45),
    "Parotid_L": (12, 45),
    "Esophagus": (6, 20),
    "Larynx": (12, 36),
    "Bone_Mandible": (40, 95),
}


@pytest.fixture(scope="module", params=(0, 1, 2, 3))
def phantom(request) -> Phantom:
    return generate(request.param, COARSE)


def centre_lps(phantom: Phantom, organ: str) -> np.ndarray:
    mask = phantom.masks[organ]
    return phantom.volume.geometry.index_to_lps(np.argwhere(mask.voxels).mean(0) + mask.start_zyx)


def test_same_seed_same_voxels_other_seed_other_patient():
    one, two, other = generate(7, COARSE), generate(7, COARSE), generate(8, COARSE)
    np.testing.assert_array_equal(one.volume.voxels, two.volume.voxels)
    assert one.volume.geometry == two.volume.geometry
    for organ in ORGANS:
        np.testing.assert_array_equal(one.masks[organ].voxels, two.masks[organ].voxels)
    assert abs(other.masks["Brainstem"].volume_ml - one.masks["Brainstem"].volume_ml) > 0.01


def test_volumes_are_plausible(phantom):
    assert tuple(phantom.masks) == ORGANS
    for organ, (low, high) in VOLUMES_ML.items():
        assert low < phantom.masks[organ].volume_ml < high, organ


def test_organs_lie_where_they_do_in_people(phantom):
    c = {organ: centre_lps(phantom, organ) for organ in ORGANS}
    assert c["Parotid_L"][0] - c["Parotid_R"][0] > 80  # LPS: left has the larger x
    assert c["Parotid_R"][0] < c["Brainstem"][0] < c["Parotid_L"][0]
    assert c["Brainstem"][2] > c["Parotid_L"][2] > c["Larynx"][2] > c["Esophagus"][2]
    assert c["Brainstem"][2] > c["SpinalCord"][2]
    assert c["Bone_Mandible"][1] < c["Parotid_R"][1]  # the jaw is in front
    assert c["Larynx"][1] < c["SpinalCord"][1]


def test_brainstem_and_cord_meet(phantom):
    stem, cord = phantom.masks["Brainstem"], phantom.masks["SpinalCord"]
    lowest_of_stem, highest_of_cord = stem.start_zyx[0], cord.start_zyx[0] + cord.voxels.shape[0]
    assert abs(highest_of_cord - lowest_of_stem) <= 4  # slices; the plane between them is tilted


def test_organs_are_disjoint_whole_and_inside_the_body(phantom):
    full = [m.full() for m in phantom.masks.values()]
    assert np.sum(full, axis=0).max() == 1
    voxels = phantom.volume.voxels
    for organ, mask in zip(phantom.masks, full, strict=True):
        for axis in range(3):
            assert not mask.take((0, -1), axis).any(), f"{organ} is cut by the image"
        if organ not in ("Larynx", "Esophagus"):  # these two hold air
            assert voxels[mask].min() > -500


def test_attenuation_is_learnable_but_not_a_threshold():
    from scipy.ndimage import binary_dilation

    phantom = generate(3, noise_hu=0.0, surroundings=False)
    for organ in ("Brainstem", "SpinalCord", "Parotid_R", "Parotid_L", "Esophagus", "Larynx"):
        mask = phantom.masks[organ].full()
        ring = binary_dilation(mask) & ~mask
        hu = phantom.volume.voxels
        soft = (hu > -130) & (hu < 130)
        contrast = abs(float(np.median(hu[mask & soft])) - float(np.median(hu[ring & soft])))
        assert 15 < contrast < 70, (organ, contrast)
    assert phantom.volume.voxels[phantom.masks["Bone_Mandible"].full()].mean() > 400


def test_another_spacing_shows_the_same_patient():
    fine, coarse = generate(11, (2.0, 2.0, 2.5)), generate(11, (3.0, 3.0, 3.5))
    for organ in ORGANS:
        a, b = fine.masks[organ].volume_ml, coarse.masks[organ].volume_ml
        assert b == pytest.approx(a, rel=0.12), organ
        assert np.linalg.norm(centre_lps(fine, organ) - centre_lps(coarse, organ)) < 2.0, organ


def test_a_given_shape_is_kept_and_holds_the_organs():
    phantom = generate(5, (3.9, 3.9, 5.0), (62, 128, 128), surroundings=True)
    assert phantom.volume.voxels.shape == (62, 128, 128)
    assert phantom.volume.geometry.spacing_xyz_mm == (3.9, 3.9, 5.0)
    assert all(not m.empty for m in phantom.masks.values())


def test_surroundings_add_a_couch_and_a_field_of_view_without_moving_the_patient():
    alone, planned = generate(6, COARSE, surroundings=False), generate(6, COARSE, surroundings=True)
    assert planned.volume.geometry.extent_zyx_mm[2] == pytest.approx(500, abs=4)
    assert (planned.volume.voxels[:, 0, 0] == -1024).all()
    couch = planned.volume.voxels[:, -30:, planned.volume.voxels.shape[2] // 2]
    assert (np.median(couch, axis=0) > -900).any()  # a bright line through all slices: the couch's skin
    for organ in ORGANS:
        assert planned.masks[organ].volume_ml == pytest.approx(alone.masks[organ].volume_ml, rel=0.15)


def test_noise_is_what_was_asked_for():
    quiet, loud = generate(9, COARSE, noise_hu=0.0), generate(9, COARSE, noise_hu=20.0)
    inside = quiet.masks["Brainstem"].full()
    difference = loud.volume.voxels[inside].astype(float) - quiet.volume.voxels[inside]
    assert difference.std() == pytest.approx(20, rel=0.15)
    assert abs(difference.mean()) < 3


def test_the_sample_is_written_and_reads_back(tmp_path):
    import SimpleITK as sitk

    from TwoStageSegLib.outputs.segnrrd import read_segmentation

    ct, reference = write_sample(tmp_path, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample_ct.nrrd", "sample_reference.seg.nrrd"]
    image = sitk.ReadImage(str(ct))
    phantom = generate(0, surroundings=True)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), phantom.volume.voxels)
    np.testing.assert_allclose(image.GetOrigin(), phantom.volume.geometry.origin_lps)
    masks = {m.organ: m for m in read_segmentation(reference)}
    assert set(masks) == set(ORGANS)
    for organ in ORGANS:
        np.testing.assert_array_equal(masks[organ].full(), phantom.masks[organ].full())
