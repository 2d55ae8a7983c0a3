"""Places, organs and accidents: what is odd about a run. See ``table``."""

from __future__ import annotations

import numpy as np

from Testing.harness.fake_system import HU

from .scans import block, body, scan
from .table import Given, case, elsewhere, exact, missing, refused

CLI = "the session takes places from markers: test_places_in_the_scene"


def here(folder, *options: str, **changes) -> Given:
    made = scan().but(**changes)
    return Given(made.save(folder / "ct.nrrd"), made, options)


@case(44, "organ cut by the edge of the scan", exact(says="reaches the edge of the scan"), session=exact())
def cut_organ(folder):
    return here(folder, voxels=body()[10:])  # the brainstem's block began two slices lower


@case(45, "no organ of the model on the scan", missing(says="not located"))
def nothing(folder):
    voxels = body()
    for organ in HU:
        voxels[block(organ)] = 40
    return here(folder, voxels=voxels)


@case(46, "one of a pair is not there: missing, not the other side's", missing(says="Parotid_L +not located"))
def one_sided(folder):
    voxels = body()
    voxels[block("Parotid_L")] = 40
    return here(folder, voxels=voxels)


@case(48, "click outside the scan", refused("E_OUTSIDE", says="Move it"), session=CLI)
def outside(folder):
    return here(folder, "--centre", "Brainstem=900,0,150")


@case(48, "click that is no point", refused("E_POINT"), session=CLI)
def no_point(folder):
    return here(folder, "--centre", "Brainstem=nan,0,150")


@case(48, "click in air", missing(says="Brainstem lies in air"), session=CLI)
def in_air(folder):
    return here(folder, "--centre", "Brainstem=-28,-18,205")


@case(48, "click on the wrong side", missing(says="Parotid_L lies on the patient's right"), session=CLI)
def wrong_side(folder):
    return here(folder, "--centre", "Parotid_L=-8,18,157.5")


@case(49, "box with swapped ends", exact(), session=CLI)
def swapped(folder):
    # the block's voxels 10..13, 6..9, 8..11 (x, y, z) with 1.5 voxels around
    return here(folder, "--box", "Brainstem=28,4,22,-2,162.5,132.5")


@case(49, "box larger than the scan", exact(says="reaches out of the scan"), session=CLI)
def larger(folder):
    return here(folder, "--box", "Brainstem=-500,500,-500,500,-500,900")


@case(49, "box of no size", refused("E_BOX"), session=CLI)
def flat(folder):
    return here(folder, "--box", "Brainstem=4,28,4,4,130,160")


@case(49, "box outside the scan", refused("E_OUTSIDE"), session=CLI)
def far(folder):
    return here(folder, "--box", "Brainstem=500,600,-2,22,132,162")


@case(62, "path with spaces and beyond 260 characters", exact())
def long_path(folder):
    deep = folder.joinpath(*[f"Größe {i} 山 " + "x" * 40 for i in range(6)])
    deep.mkdir(parents=True)
    made = scan()
    return Given(made.save(deep / "CT mit Lücken.nrrd"), made)


elsewhere(13, "NaN in the scene's own array", "hardening/test_in_the_scene.py::test_nan_in_the_scene")
elsewhere(
    41, "padding gives the networks what air gives them", "hardening/test_real_networks.py::test_padding_counts_as_air"
)
elsewhere(
    *(43, "dental streaks at the parotid"),
    because="an uncertainty flag is the review's (disagreement, softness, density); here only: no crash, as 42",
)
elsewhere(
    46,
    "the mirrored network does not find the other gland",
    "hardening/test_real_networks.py::test_a_gland_that_is_gone",
)
elsewhere(
    *(47, "low confidence", "hardening/test_in_the_scene.py::test_low_confidence_is_said"),
    "hardening/test_outcomes.py::test_low_confidence_is_said",
    because="the status needs_prompt belongs to a batch command, which does not exist",
)
elsewhere(48, "places from markers", "hardening/test_in_the_scene.py::test_places_in_the_scene")
elsewhere(50, "click at a corner voxel", "hardening/test_real_networks.py::test_clicks_at_every_corner")
elsewhere(
    *(52, "flipped data, situs inversus"),
    because="the flag is the review's (left and right checked against each other): nothing in one file contradicts it",
)
elsewhere(53, "contrast phase unlike training", because="the flag is the review's (density of the training contours)")
elsewhere(54, "paediatric size", "hardening/test_outcomes.py::test_an_unusual_volume_is_said_in_the_report")
elsewhere(
    *(56, "parent transform", "session/test_runs.py::test_under_a_parent_transform_everything_stays_together"),
    "session/test_choices.py::test_a_scan_that_was_put_right_can_be_used_without_choosing_it_again",
    because="a file has no parent transform: session only",
)
elsewhere(
    *(57, "existing segmentation", "hardening/test_in_the_scene.py::test_a_target_of_another_grid_keeps_what_is_in_it"),
    "session/test_choices.py::test_a_foreign_segment_is_asked_about_and_can_be_kept",
    because="the command line writes a new file (60)",
)
elsewhere(58, "bad bundles", "hardening/test_bundles.py::test_a_bad_bundle_on_the_command_line")
elsewhere(58, "bad bundles", "hardening/test_bundles.py::test_a_bad_bundle_in_the_session")
elsewhere(59, "GPU absent, full or lost", "hardening/test_gpu_lost.py::test_a_lost_gpu_gives_what_the_cpu_gives")
elsewhere(
    59,
    "GPU that torch cannot use",
    "test_gpu_that_fails.py::test_a_gpu_that_torch_cannot_use_is_named_and_the_cpu_goes_on",
)
elsewhere(60, "disk full", "hardening/test_outputs.py::test_a_full_disk")
elsewhere(60, "read-only output", "hardening/test_outputs.py::test_a_read_only_disk")
elsewhere(60, "output exists", "test_cli.py::test_an_existing_output_is_kept_unless_overwrite")
elsewhere(61, "cancel at each stage", "session/test_runs.py::test_cancel_in_every_stage_writes_nothing")
elsewhere(61, "the button pressed twice", "hardening/test_in_the_scene.py::test_the_button_pressed_twice")
elsewhere(61, "scene closed during a run", "session/test_runs.py::test_closing_the_scene_ends_the_worker")
elsewhere(65, "zip with .. or a bomb", "hardening/test_bundles.py::test_a_bad_zip_leaves_nothing")

assert np.count_nonzero(body() == HU["Brainstem"]) == 64, "the body's own values must not be an organ's"
