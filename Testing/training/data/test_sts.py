"""Sarcoma CTs: the tumour is known, the organs of the head are absent, a case without contour is a negative only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from training.data.prepared import ORGANS, load_cases
from training.data.sts import GTV, prepare


def write(folder: Path, name: str, contour: bool = True) -> None:
    ct = np.full((6, 12, 10), 40, np.int16)
    label = np.zeros(ct.shape, np.uint8)
    label[2:5, 3:7, 4:6] = 1
    for kind, array in (("img", ct), ("seg", label)):
        if kind == "img" or contour:
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((2.0, 2.0, 3.27))
            sitk.WriteImage(image, str(folder / f"{name}_ct_{kind}.nrrd"))


def test_the_tumour_is_known_and_the_head_absent(tmp_path):
    source, target = tmp_path / "source", tmp_path / "prepared"
    source.mkdir()
    write(source, "STS_002")
    write(source, "STS_031", contour=False)
    assert prepare(source, target) == 2
    (case,) = load_cases(target, "train")
    assert case.known[GTV].box == [[2, 5], [3, 7], [4, 6]] and case.whole(GTV)
    assert np.count_nonzero(case.labels == case.value(GTV)) == 3 * 4 * 2 == np.count_nonzero(case.labels)
    assert case.absent == ORGANS and not set(ORGANS) & set(case.known)
    assert [case.value(o) for o in ORGANS] == list(range(1, 8))  # as in other head-and-neck cases
    (negative,) = load_cases(target, "validation")
    assert negative.known == {} and negative.absent == ORGANS and not negative.labels.any()


def test_the_locator_takes_them_as_negatives(tmp_path):
    from dataclasses import replace

    from Testing.harness.tiny_recipe import TINY
    from training.tasks.locate import LocateTask

    write(tmp_path, "STS_002")
    prepare(tmp_path, tmp_path / "prepared")
    cases = load_cases(tmp_path / "prepared")
    task = LocateTask(replace(TINY, locate_negatives=1.0), cases, [])
    assert task.negatives == cases and task.training == []
    batch = task.batch(np.random.default_rng(0))
    assert not batch["labels"].any() and batch["known"].all()


def test_the_real_set(data_dir, tmp_path):
    source = data_dir / "sts_ct"
    if not (source / "STS_040_ct_img.nrrd").exists():
        pytest.skip("the sarcoma CTs are not at hand")
    small = tmp_path / "source"
    small.mkdir()
    for kind in ("img", "seg"):
        (small / f"STS_040_ct_{kind}.nrrd").symlink_to(source / f"STS_040_ct_{kind}.nrrd")
    assert prepare(small, tmp_path / "prepared") == 1
    (case,) = load_cases(tmp_path / "prepared", "validation")
    assert case.known[GTV].box[0] == [16, 50]
    assert np.count_nonzero(case.labels) * np.prod(case.spacing_zyx_mm) / 1000 == pytest.approx(399, abs=1)
