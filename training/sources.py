"""Where a bundle's training data come from, and what may be said and done with the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Source:
    """Texts that go into a bundle's manifest and model card."""

    title: str
    weights_licence: str
    data_licence: str
    attribution: list[str]
    intended_use: str
    not_for: list[str]
    references: list[str]


OPENKBP = Source(
    title="Head and neck CT, 7 organs at risk",
    weights_licence="Apache-2.0 for the weights as software; research use only, because the training data are",
    data_licence=(
        "OpenKBP: the repository carries the MIT License, Copyright (c) 2021 Aaron Babier, for 'the Software' and no "
        "separate data licence; the images come from The Cancer Imaging Archive (head-and-neck collections there are "
        "CC BY or CC BY-NC). Treated as research use; do not try to re-identify."
    ),
    attribution=[
        "A. Babier, B. Zhang, R. Mahmood, K.L. Moore, T.G. Purdie, A.L. McNiven, T.C.Y. Chan, 'OpenKBP: The "
        "open-access knowledge-based planning grand challenge and dataset', Med. Phys. 48:5549-5561, 2021.",
        "Negatives of the locator: TCIA Soft-tissue-Sarcoma CTs in IBSI's processing, Creative Commons Attribution 3.0 "
        "Unported; M. Vallieres et al., Phys. Med. Biol. 60:5471, 2015, doi:10.7937/K9/TCIA.2015.7GO2GSKS.",
        "K. Clark et al., 'The Cancer Imaging Archive (TCIA)', J. Digit. Imaging 26:1045-1057, 2013.",
    ],
    intended_use=(
        "Research. Proposes contours of seven organs at risk on head-and-neck CT (adults, planning position) for "
        "review and correction by a qualified person."
    ),
    not_for=[
        "diagnosis",
        "treatment planning without review of every contour",
        "MR, PET or cone-beam CT",
        "children",
        "organs changed by surgery",
    ],
    references=["arXiv:2304.04606 (Smith et al., Localise to segment)", "doi:10.1002/mp.14845 (OpenKBP)"],
)

STS = Source(
    title="Soft-tissue sarcoma of the limbs: gross tumour volume on CT",
    weights_licence="Apache-2.0",
    data_licence=(
        "Soft-tissue-Sarcoma CTs and contours (The Cancer Imaging Archive) in IBSI's processing "
        "(github.com/theibsi/data_sets, ibsi_validation): Creative Commons Attribution 3.0 Unported."
    ),
    attribution=[
        "M. Vallieres, C.R. Freeman, S.R. Skamene, I. El Naqa, 'A radiomics model from joint FDG-PET and MRI texture "
        "features for the prediction of lung metastases in soft-tissue sarcomas of the extremities', Phys. Med. Biol. "
        "60:5471-5496, 2015; data doi:10.7937/K9/TCIA.2015.7GO2GSKS, CC BY 3.0.",
        "Processed by A. Zwanenburg for the Image Biomarker Standardisation Initiative (cropped to 5 cm around the "
        "tumour); resampled to 2 x 2 x 3.27 mm for this work.",
        "K. Clark et al., 'The Cancer Imaging Archive (TCIA)', J. Digit. Imaging 26:1045-1057, 2013.",
    ],
    intended_use=(
        "Research on the method. Proposes the gross tumour volume of a soft-tissue sarcoma of a limb on CT that was "
        "cropped to some 5 cm around the tumour, for review and correction by a qualified person."
    ),
    not_for=[
        "diagnosis",
        "treatment planning without review of every contour",
        "finding a tumour in a whole scan: every training image was cropped 5 cm around its tumour, so that more than "
        "half of the slices show it and where the image ends says roughly where it lies",
        "tumours other than soft-tissue sarcomas of the limbs",
        "MR, PET or cone-beam CT",
        "children",
    ],
    references=["doi:10.1016/j.compmedimag.2023.102323 (Shi et al., slice filter and SANet)"],
)

OPENKBP_ALONE = replace(OPENKBP, attribution=[line for line in OPENKBP.attribution if not line.startswith("Negatives")])
"""For bundles that were trained without ``hn-oar-ct``'s negatives."""

PHANTOM = Source(
    title="Synthetic phantom, 7 organs (for trying out and testing)",
    weights_licence="Apache-2.0",
    data_licence="Synthetic volumes made by TwoStageSegLib.sample; no patient data.",
    attribution=[],
    intended_use="Trying out the software and testing it. Knows synthetic phantoms only.",
    not_for=["any real image"],
    references=["arXiv:2304.04606 (Smith et al., Localise to segment)"],
)
