"""Soft-tissue sarcoma CTs of limbs (TCIA STS, IBSI's processing): scans without a single head-and-neck organ.

The locator sees them as what it must not find anything in. Layout: ``STS_NNN_ct_img.nrrd`` (2 x 2 x 3.27 mm, HU). The
split is committed in ``training/splits/sts_ct.json``; its test cases are never trained on.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .prepared import ORGANS, write_case

SPLITS = Path(__file__).parent.parent / "splits" / "sts_ct.json"


def prepare(source: Path, target: Path) -> int:
    """Prepare every case of the committed split that ``source`` holds. Returns the number of cases."""
    splits: dict[str, list[str]] = json.loads(SPLITS.read_text(encoding="utf-8"))
    count = 0
    for split, cases in splits.items():
        for case in cases:
            path = source / f"{case}_ct_img.nrrd"
            if not path.exists():
                continue
            image = sitk.ReadImage(str(path))
            ct = sitk.GetArrayFromImage(image)
            spacing = image.GetSpacing()[::-1]
            write_case(target / case, case, split, "", ct, np.zeros(ct.shape, np.uint8), spacing, ORGANS, {}, ORGANS)
            count += 1
    return count
