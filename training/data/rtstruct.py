"""DICOM RTSTRUCT to masks on the grid of the CT it was drawn on: placed by position, checked before they count.

What cannot be placed for certain is refused for that organ alone, with the reason; the organ is then unknown in this
case, never background. Contours are placed by their z, not by the images they name: real files name images that are
not in the series.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask

from .contours import Points, slice_mask

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
OFF_SLICE = 0.1  # how far off its slice a contour may lie, in slice distances: rounding of coordinates


@dataclass(frozen=True)
class StructureSet:
    """A structure set: what it was drawn on, and its contours (LPS mm, ``(n, 3)``) with their kinds, by ROI name."""

    frame_of_reference: str
    series: str
    contours: dict[str, list[tuple[str, Points]]]


def read_structure_set(path: Path) -> StructureSet:
    """Read an RTSTRUCT; only names and points are looked at.

    Raises
    ------
    InputRefused : E_RTSTRUCT if the file is damaged or no structure set.
    """
    import pydicom

    try:
        with path.open("rb") as stream:
            ds = pydicom.dcmread(stream)
            return _structure_set(ds)
    except InputRefused:
        raise
    except Exception:  # whatever a damaged file makes pydicom raise; its message may hold a patient's tags
        raise InputRefused(
            "E_RTSTRUCT", f"{path.name} is damaged or no RTSTRUCT. Export the structures again."
        ) from None


def _structure_set(ds: Any) -> StructureSet:
    if str(ds.get("Modality", "")) != "RTSTRUCT":
        raise InputRefused("E_RTSTRUCT", "The file is no RTSTRUCT. Give the structure set of the CT.")
    rois = {int(r.ROINumber): r for r in ds.get("StructureSetROISequence", None) or ()}
    frames = {str(r.get("ReferencedFrameOfReferenceUID", "") or "") for r in rois.values()} - {""}
    if len(frames) > 1:
        raise InputRefused("E_RTSTRUCT", "The structures belong to several frames of reference. Export one CT's own.")
    contours: dict[str, list[tuple[str, Points]]] = {}
    for item in ds.get("ROIContourSequence", None) or ():
        roi = rois.get(int(item.ReferencedROINumber))
        name = "" if roi is None else str(roi.get("ROIName", "") or "").strip()
        own = contours.setdefault(name, [])
        for contour in item.get("ContourSequence", None) or ():
            points = np.asarray(contour.ContourData or [], float).reshape(-1, 3)
            own.append((str(contour.get("ContourGeometricType", "") or ""), points))
    contours.pop("", None)
    return StructureSet(next(iter(frames), ""), _referenced_series(ds), contours)


def _referenced_series(ds: Any) -> str:
    for frame in ds.get("ReferencedFrameOfReferenceSequence", None) or ():
        for study in frame.get("RTReferencedStudySequence", None) or ():
            for series in study.get("RTReferencedSeriesSequence", None) or ():
                return str(series.get("SeriesInstanceUID", "") or "")
    return ""


def rasterise(organ: str, contours: list[tuple[str, Points]], geometry: Geometry) -> tuple[Mask, list[str]]:
    """One organ's contours as a mask in ``geometry``, and what was odd about them.

    Raises
    ------
    InputRefused : E_CONTOUR if there is none, if they are no closed planar ones, if they lie between the slices or
        across them, or if slices were left out between them (contours on every other slice want interpolating first).
    """
    by_slice: dict[int, list[Points]] = {}
    notices: list[str] = []
    for kind, points in contours:
        if kind not in CLOSED:
            raise _refused(organ, f"has contours of the kind {kind[:20] or 'none'!r}, which enclose nothing")
        if len(points) < 3:
            notices.append(f"{organ}: a contour of {len(points)} points encloses nothing")
            continue
        z, plane = _in_plane(organ, points, geometry)
        by_slice.setdefault(z, []).append(plane)
    inside = {z: planes for z, planes in by_slice.items() if 0 <= z < geometry.shape_zyx[0]}
    if not inside:
        raise _refused(organ, "has no contour inside the scan")
    if len(inside) < len(by_slice):
        notices.append(f"{organ}: {len(by_slice) - len(inside)} slices with contours lie outside the scan")
    notices += _gaps(organ, sorted(by_slice))
    first, last = min(inside), max(inside)
    voxels = np.zeros((last - first + 1, *geometry.shape_zyx[1:]), bool)
    for z, planes in inside.items():
        voxels[z - first], odd = slice_mask(planes, geometry.shape_zyx[1:])
        notices += [f"{organ}: {text}" for text in odd]
    return Mask(organ, voxels, (first, 0, 0), geometry).trimmed(), list(dict.fromkeys(notices))


def _in_plane(organ: str, points: Points, geometry: Geometry) -> tuple[int, Points]:
    """The slice of a contour, and its points (y, x) on it."""
    if not np.isfinite(points).all():
        raise _refused(organ, "has a point that is not a number")
    index = geometry.lps_to_index(points)
    z = int(np.rint(index[:, 0].mean()))
    off = float(np.abs(index[:, 0] - z).max())
    if off > OFF_SLICE:
        where = "across slices" if np.ptp(index[:, 0]) > OFF_SLICE else "between slices"
        raise _refused(organ, f"has a contour that lies {where} ({off * geometry.spacing_zyx_mm[0]:.2f} mm off)")
    return z, index[:, 1:]


def _gaps(organ: str, slices: list[int]) -> list[str]:
    """Slices without a contour between others. Two parts with a gap are meant; a contour on every second slice is not
    what the organ is like."""
    between = slices[-1] - slices[0] + 1
    missing = between - len(slices)
    if missing == 0:
        return []
    if np.median(np.diff(slices)) > 1:
        raise _refused(organ, f"is drawn on {len(slices)} of {between} slices only; interpolate it first")
    return [f"{organ}: {missing} of {between} slices between its first and last have no contour; left empty"]


def _refused(organ: str, what: str) -> InputRefused:
    return InputRefused("E_CONTOUR", f"{organ} {what}.")
