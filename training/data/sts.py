"""Soft-tissue sarcoma CTs of limbs (TCIA STS, IBSI's processing) with the tumour's contour (GTV).

Two uses: the GTV for ``slice-filter`` (papers/001), and, since they hold not a single head-and-neck organ, scans in
which a locator of those must not find anything (``absent``). Layout: ``STS_NNN_ct_img.nrrd`` (2 x 2 x 3.27 mm, HU) and
``STS_NNN_ct_seg.nrrd`` (1: GTV). The split is committed in ``training/splits/sts_ct.json``; its test cases are never
trained on.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .prepared import ORGANS, write_case

SPLITS = Path(__file__).parent.parent / "splits" / "sts_ct.json"
GTV = "GTV"


def prepare(source: Path, target: Path) -> int:
    """Prepare every case of the committed split that ``source`` holds. Returns the number of cases.

    A case without its contour is a scan without head-and-neck organs, with an unknown tumour.
    """
    splits: dict[str, list[str]] = json.loads(SPLITS.read_text(encoding="utf-8"))
    organs = (*ORGANS, GTV)
    count = 0
    for split, cases in splits.items():
        for case in cases:
            path, contour = source / f"{case}_ct_img.nrrd", source / f"{case}_ct_seg.nrrd"
            if not path.exists():
                continue
            image = sitk.ReadImage(str(path))
            ct = sitk.GetArrayFromImage(image)
            labels = np.zeros(ct.shape, np.uint8)
            if contour.exists():
                labels[sitk.GetArrayFromImage(sitk.ReadImage(str(contour))) == 1] = 1 + organs.index(GTV)
            spacing = image.GetSpacing()[::-1]
            # IBSI cropped the images around the whole contour, so none of it is cut off
            known = {GTV: 1.0} if contour.exists() else {}
            write_case(target / case, case, split, "", ct, labels, spacing, organs, known, ORGANS)
            count += 1
    return count
