"""OpenKBP head-and-neck CTs (Babier 2021): 7 organs at risk, partial labels, clinical contours.

Reads the folder as its README describes it: ``index.csv`` and ``<split>/pt_N_ct.nrrd``, ``pt_N_seg.nrrd``.
The split is the data set's own, patient by patient, and is committed in ``training/splits/openkbp.json``.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import SimpleITK as sitk

from .prepared import ORGANS, write_case

COLUMNS = ("Brainstem", "SpinalCord", "RightParotid", "LeftParotid", "Esophagus", "Larynx", "Mandible")
SPLITS = Path(__file__).parent.parent / "splits" / "openkbp.json"


def prepare(source: Path, target: Path) -> int:
    """Prepare every case of the committed split that ``source`` holds. Returns the number of cases."""
    splits: dict[str, list[str]] = json.loads(SPLITS.read_text(encoding="utf-8"))
    split_of = {case: split for split, cases in splits.items() for case in cases}
    with (source / "index.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["case"] in split_of]
    for row in rows:
        case, split = row["case"], split_of[row["case"]]
        ct = sitk.ReadImage(str(source / row["split"] / f"{case}_ct.nrrd"))
        seg = sitk.ReadImage(str(source / row["split"] / f"{case}_seg.nrrd"))
        fractions = {
            organ: float(row[f"frac_{column}"])
            for organ, column in zip(ORGANS, COLUMNS, strict=True)
            if int(row[f"vox_{column}"]) > 0
        }
        write_case(
            target / case,
            case,
            split,
            row["grade"],
            sitk.GetArrayFromImage(ct),
            sitk.GetArrayFromImage(seg),
            ct.GetSpacing()[::-1],
            ORGANS,
            fractions,
        )
    return len(rows)
