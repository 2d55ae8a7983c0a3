"""A review as a table node: one row per slice, columns with a type, saved and loaded with the scene."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from vtkmodules.vtkCommonCore import vtkBitArray, vtkDoubleArray, vtkIntArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..review.book import Book
from ..review.findings import Basis, OrganReview, SliceFinding
from .frames import swap_ras_lps

SEGMENTATION, VOLUME = "TwoStageSeg.Segmentation", "TwoStageSeg.Volume"  # roles of node references
_REVIEW = "TwoStageSeg.Review"  # attribute: what is said of an organ as a whole
_SEEN = "seen"
_LIMIT = 1_000_000  # characters
_PLAIN = str.maketrans({"\t": " ", "\n": " ", "\r": " ", '"': "'"})  # Slicer's table files cannot hold these


def find_review_table(scene: Any, segmentation_node: Any) -> Any | None:
    """The table with the review of a segmentation, None if there is none."""
    for table in _tables(scene):
        if table.GetNodeReferenceID(SEGMENTATION) == segmentation_node.GetID():
            return table
    return None


def reviewed_segmentations(scene: Any, volume_node: Any) -> list[Any]:
    """Segmentations of a volume that have a review in the scene."""
    mine = [t for t in _tables(scene) if t.GetNodeReferenceID(VOLUME) == volume_node.GetID()]
    return [node for t in mine if (node := t.GetNodeReference(SEGMENTATION)) is not None]


def write_review(scene: Any, segmentation_node: Any, volume_node: Any, book: Book) -> Any:
    """Put a review into its table, which is made if there is none; what the table held is replaced.

    Returns
    -------
    vtkMRMLTableNode with references to the segmentation and the volume.
    """
    table = find_review_table(scene, segmentation_node)
    if table is None:
        table = scene.AddNewNodeByClass("vtkMRMLTableNode", "TwoStageSeg review")
        table.SetNodeReferenceID(SEGMENTATION, segmentation_node.GetID())
    table.SetNodeReferenceID(VOLUME, volume_node.GetID())
    organs = {r.organ: {"basis": r.basis.value, "notes": list(r.notes)} for r in book.reviews}
    for organ, about in organs.items():
        about["voxels"] = book.voxels.get(organ, "")
    table.SetAttribute(_REVIEW, json.dumps(organs))
    rows = [s for r in book.reviews for s in r.slices]
    columns = vtkTable()
    for name, kind, value in _COLUMNS:
        columns.AddColumn(_column(name, kind, [value(s) for s in rows]))
    columns.AddColumn(_column(_SEEN, vtkBitArray, [int(book.is_seen(s)) for s in rows]))
    table.SetAndObserveTable(columns)
    table.SetLocked(True)  # a person may read, sort and plot it; it is written here alone
    return table


def read_review(table: Any) -> Book | None:
    """A review back from its table, None if it is not one of ours or was changed by hand beyond recognition.

    A saved table keeps six digits of a number.
    """
    text = table.GetAttribute(_REVIEW) or ""
    try:
        organs = json.loads(text) if len(text) < _LIMIT else {}
        slices: dict[str, list[SliceFinding]] = {organ: [] for organ in organs}
        seen = set()
        for row in range(table.GetNumberOfRows()):
            finding, was_seen = _finding(table.GetTable(), row, organs)
            slices[finding.organ].append(finding)
            if was_seen:
                seen.add((finding.organ, finding.index))
        reviews = tuple(
            OrganReview(organ, Basis(about["basis"]), tuple(slices[organ]), tuple(map(str, about["notes"])))
            for organ, about in organs.items()
        )
        return Book(reviews, frozenset(seen), {o: str(about["voxels"]) for o, about in organs.items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def set_seen(table: Any, book: Book, finding: SliceFinding, seen: bool) -> None:
    """Mark one slice in the table; nothing else of it is written."""
    row = 0
    for review in book.reviews:
        if review.organ == finding.organ:
            row += next(i for i, s in enumerate(review.slices) if s.index == finding.index)
            break
        row += len(review.slices)
    table.GetTable().GetColumnByName(_SEEN).SetValue(row, int(seen))
    table.GetTable().Modified()


def _tables(scene: Any) -> list[Any]:
    count = scene.GetNumberOfNodesByClass("vtkMRMLTableNode")
    tables = (scene.GetNthNodeByClass(i, "vtkMRMLTableNode") for i in range(count))
    return [t for t in tables if t.GetAttribute(_REVIEW) is not None]


def _ras(axis: int) -> Callable[[SliceFinding], float]:
    return lambda s: float(swap_ras_lps(s.centre_lps)[axis])


_COLUMNS: tuple[tuple[str, type, Callable[[SliceFinding], Any]], ...] = (
    ("organ", vtkStringArray, lambda s: s.organ),
    ("slice", vtkIntArray, lambda s: s.number),
    ("R mm", vtkDoubleArray, _ras(0)),
    ("A mm", vtkDoubleArray, _ras(1)),
    ("S mm", vtkDoubleArray, _ras(2)),
    ("area mm2", vtkDoubleArray, lambda s: s.area_mm2),
    ("score", vtkDoubleArray, lambda s: s.score),
    ("flag", vtkStringArray, lambda s: s.text.translate(_PLAIN)),
    ("flagged", vtkBitArray, lambda s: int(s.flagged)),
)


def _column(name: str, kind: type, values: Sequence[Any]) -> Any:
    column = kind()
    column.SetName(name)
    column.SetNumberOfValues(len(values))
    for i, value in enumerate(values):
        column.SetValue(i, value)
    return column


def _finding(columns: Any, row: int, organs: dict[str, Any]) -> tuple[SliceFinding, bool]:
    def cell(name: str) -> Any:
        return columns.GetValueByName(row, name)

    organ, score = cell("organ").ToString(), cell("score").ToDouble()
    x, y, z = (float(v) for v in swap_ras_lps([cell(f"{axis} mm").ToDouble() for axis in "RAS"]))
    flagged = bool(cell("flagged").ToInt())
    reasons = tuple(cell("flag").ToString().split("; ")) if flagged else ()
    dice = 1 - score if organs[organ]["basis"] == Basis.REFERENCE else None
    index = cell("slice").ToInt() - 1
    finding = SliceFinding(organ, index, (x, y, z), cell("area mm2").ToDouble(), score, reasons, flagged, dice)
    return finding, bool(cell(_SEEN).ToInt())
