"""The page and Slicer's panel use the same words: what a button is called and what its tooltip says exists once."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ROOT / "TwoStageSegLib" / "web" / "static" / "sections"
# what only the page has: files go up and down, and it has no Segment Editor beside it
OWN = {
    "Open…", "Open NRRD, NIfTI or MetaImage, or a zip of a DICOM series", "OK", "Put this message away",
    "Report", "Save",
    "Download a page with pictures and figures of every organ", "Download the segmentation; it opens in 3D Slicer",
    "Take back what the last run or stroke changed (Ctrl+Z)",
}  # fmt: skip


def panel_texts() -> set[str]:
    """Every text of the panel: of its .ui file, and of the rows that are made by program."""
    tree = ElementTree.parse(ROOT / "TwoStageSeg" / "Resources" / "UI" / "TwoStageSeg.ui")
    texts = {(e.text or "").strip().replace("&&", "&") for e in tree.iter("string")}
    for file in (ROOT / "TwoStageSeg" / "TwoStageSegWidgets").glob("*.py"):
        texts |= set(re.findall(r'_\("([^"]+)"\)', file.read_text(encoding="utf-8")))
    return texts


def page_texts(section: str) -> set[str]:
    """Labels of buttons and choices and all tooltips of a section."""
    html = (SECTIONS / f"{section}.html").read_text(encoding="utf-8")
    found = re.findall(r'\btitle="([^"]+)"', re.sub(r':title="[^"]*"', "", html))
    found += re.findall(r"<(?:button|option|summary)[^>]*>([^<{]+)</", html)
    return {unescape(" ".join(text.split())) for text in found} - {""}


@pytest.mark.parametrize("section", ["ct", "model", "organs", "run", "into", "review", "files", "log", "question"])
def test_the_page_says_what_the_panel_says(section):
    words = page_texts(section) - OWN - {"none loaded", "a new one"}
    assert words or section == "files"
    assert words <= panel_texts(), words - panel_texts()
