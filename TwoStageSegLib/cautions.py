"""What is odd about a scan or a place that was given, without being wrong: said beside the result, never refused."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .manifest import Manifest
from .region import Point, Region, Source
from .systems.body import SKIN_HU
from .volume import Volume

AROUND_MM = 10.0  # how far around a click the body must begin: the larynx and the trachea are hollow
ASIDE_MM = 10.0  # how far beyond the middle of the body a paired organ counts as on the other side
COARSE = 2.0  # times the spacing that a network works at


def cautions(volume: Volume, regions: Iterable[Region], manifest: Manifest) -> tuple[str, ...]:
    """Lines for the person at the screen: voxels far coarser than the networks', places in air, on the wrong side or
    reaching out of the scan.

    Parameters
    ----------
    regions : the places that were given, of which automatic ones are left out.
    """
    found = _coarse(volume, manifest)
    if manifest.input.modality == "CT":
        for region in regions:
            if region.source in (Source.CLICK, Source.BOX) and region.usable and region.centre_lps is not None:
                found += _odd_place(volume, region, region.centre_lps) + _beyond(volume, region)
    return tuple(found)


def _coarse(volume: Volume, manifest: Manifest) -> list[str]:
    """Said once for the whole scan: along the axis that is coarsest against the finest network."""
    spacing = np.asarray(volume.standard.geometry.spacing_zyx_mm)
    used = {organ.network for organ in manifest.organs}
    finest = np.min([n.spacing_mm for role, n in manifest.networks.items() if role in used], axis=0)
    worst = int(np.argmax(spacing / finest))
    if spacing[worst] <= COARSE * finest[worst]:
        return []
    return [
        f"Voxels are {spacing[worst]:.3g} mm apart along one axis, the model works at {finest[worst]:.3g} mm: "
        "expect steps in the contours."
    ]


def _beyond(volume: Volume, region: Region) -> list[str]:
    if region.size_mm is None:
        return []
    index = volume.geometry.lps_to_index(region.corners_lps())
    over = np.maximum(-0.5 - index.min(0), index.max(0) - (np.asarray(volume.geometry.shape_zyx) - 0.5))
    if over.max() <= 1:
        return []
    return [f"The box of {region.organ} reaches out of the scan; only the part inside counts."]


def _odd_place(volume: Volume, region: Region, centre_lps: Point) -> list[str]:
    standard = volume.standard
    index = standard.geometry.lps_to_index(centre_lps)
    reach = AROUND_MM / np.asarray(standard.geometry.spacing_zyx_mm)
    low = np.clip(np.floor(index - reach), 0, np.asarray(standard.voxels.shape) - 1).astype(int)
    high = np.clip(np.ceil(index + reach) + 1, low + 1, standard.voxels.shape).astype(int)
    if standard.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].max() < SKIN_HU:
        return [f"The place given for {region.organ} lies in air. Check it."]
    side = {"_L": 1.0, "_R": -1.0}.get(region.organ[-2:], 0.0)
    z = int(np.clip(round(index[0]), 0, len(standard.voxels) - 1))
    columns = np.flatnonzero(standard.voxels[z] > SKIN_HU) % standard.voxels.shape[2]
    if not side or not columns.size:
        return []
    aside_mm = (index[2] - columns.mean()) * standard.geometry.spacing_zyx_mm[2] * side
    if aside_mm < -ASIDE_MM:
        return [
            f"The place given for {region.organ} lies on the patient's {'right' if side > 0 else 'left'}. Check it."
        ]
    return []
