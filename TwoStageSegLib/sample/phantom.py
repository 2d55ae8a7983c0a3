"""Synthetic head-and-neck CTs with known organs: ``generate(seed)`` and ``write_sample(folder)``.

The patient is a list of solids with signed distances (``anatomy``), laid down in a pose (``pose``), painted into a
voxel grid with partial volume at every border, with tissue texture, noise and, if wanted, what surrounds a patient in
a planning CT (``surroundings``). Anatomy depends on the seed alone: another spacing shows the same patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry
from ..mask import Mask
from ..volume import Volume
from .anatomy import ORGANS, Anatomy, draw_anatomy
from .grids import Layout, Slab, Slices, draw_layout
from .part import SKIN_MM, Chance
from .pose import draw_pose
from .shapes import Array
from .surroundings import cut_field

SPACING_XYZ_MM = (2.5, 2.5, 3.0)
AIR_HU = -1000.0
SLAB_VOXELS = 500_000


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic CT and its organs by TG-263 name; every mask lies in the volume's grid, none overlap."""

    volume: Volume
    masks: dict[str, Mask]
    seed: int


def generate(
    seed: int,
    spacing_xyz_mm: tuple[float, float, float] = SPACING_XYZ_MM,
    shape_zyx: tuple[int, int, int] | None = None,
    surroundings: bool | None = None,
    noise_hu: float | None = None,
) -> Phantom:
    """A random patient.

    Parameters
    ----------
    seed : same seed, same patient; with the same grid, the same voxels.
    spacing_xyz_mm : voxel size.
    shape_zyx : size of the grid; None for one that holds the body (or the field of view) and all organs.
    surroundings : couch, head-rest, perhaps a mask, in a 500 mm field of view; None lets the seed decide.
    noise_hu : standard deviation of the noise; None lets the seed decide (5 to 25 HU).

    Returns
    -------
    int16 CT in LPS orientation with an arbitrary origin, and seven organs.
    """
    seeds = np.random.SeedSequence(seed).spawn(4)
    patient, lying, around, noise = (np.random.default_rng(s) for s in seeds)
    anatomy, pose = draw_anatomy(patient), draw_pose(Chance(lying))
    layout = draw_layout(Chance(around), anatomy, pose, spacing_xyz_mm, shape_zyx, surroundings)
    drawn_noise = noise.uniform(5, 25)
    texture = _Texture(noise)
    sd = drawn_noise if noise_hu is None else noise_hu

    hu = np.empty(layout.whole.shape_zyx, np.int16)
    organs = {name: _OrganCanvas(name, anatomy, layout.whole) for name in ORGANS}
    for slab in layout.slabs(SLAB_VOXELS):
        values = _paint(slab, anatomy, layout, organs, texture)
        values += np.float32(sd) * noise.standard_normal(values.shape, np.float32)
        if layout.surroundings is not None:
            cut_field(values, slab.x_mm, slab.y_mm, layout.field_centre_mm)
        hu[slab.first : slab.first + len(values)] = np.rint(values.clip(-1024, 3071)).astype(np.int16)
    geometry = layout.geometry
    return Phantom(Volume(hu, geometry, "CT"), {n: o.mask(geometry) for n, o in organs.items()}, seed)


def write_sample(folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write ``sample_ct.nrrd`` and ``sample_reference.seg.nrrd`` into a folder; returns both paths."""
    import SimpleITK as sitk

    from ..outputs.atomic import atomic_file
    from ..outputs.segnrrd import write_segmentation

    phantom = generate(seed, surroundings=True)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(phantom.volume.voxels)
    image.SetSpacing(phantom.volume.geometry.spacing_xyz_mm)
    image.SetOrigin(phantom.volume.geometry.origin_lps)
    ct, reference = folder / "sample_ct.nrrd", folder / "sample_reference.seg.nrrd"
    with atomic_file(ct) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
    write_segmentation(reference, list(phantom.masks.values()), phantom.volume.geometry)
    return ct, reference


class _OrganCanvas:
    """One organ's reference mask while it is painted: a crop of the grid that surely holds it."""

    def __init__(self, name: str, anatomy: Anatomy, grid: Slab):
        boxes = [grid.box(p.shape) for p in anatomy.parts if p.organ == name]
        self.name = name
        self.lo = np.min([[s.start for s in b] for b in boxes], axis=0)
        self.voxels = np.zeros(np.max([[s.stop for s in b] for b in boxes], axis=0) - self.lo, bool)

    def mask(self, geometry: Geometry) -> Mask:
        z, y, x = (int(i) for i in self.lo)
        return Mask(self.name, self.voxels, (z, y, x), geometry).trimmed()

    def set(self, inside: NDArray[np.bool_], lo: NDArray, claim: bool) -> None:
        """Add voxels (``claim``) or give them up to a later organ. ``lo``: place of ``inside`` in the full grid."""
        begin = np.maximum(lo, self.lo)
        end = np.minimum(lo + inside.shape, self.lo + self.voxels.shape)
        if (begin >= end).any():
            return
        mine = self.voxels[tuple(slice(b, e) for b, e in zip(begin - self.lo, end - self.lo, strict=True))]
        theirs = inside[tuple(slice(b, e) for b, e in zip(begin - lo, end - lo, strict=True))]
        if claim:
            mine |= theirs
        else:
            mine &= ~theirs


class _Texture:
    """Smooth unevenness of tissue: a few standing waves, the same in every grid."""

    def __init__(self, rng: np.random.Generator, waves: int = 5):
        self.frequency = rng.uniform(0.08, 0.5, (waves, 3)) * rng.choice((-1, 1), (waves, 3))  # radians per mm
        self.phase = rng.uniform(0, 2 * np.pi, (waves, 3))
        self.height_hu = rng.uniform(3, 7, waves)

    def __call__(self, x_mm: NDArray, y_mm: NDArray, z_mm: NDArray) -> Array:
        out = np.zeros((len(z_mm), len(y_mm), len(x_mm)), np.float32)
        for f, p, h in zip(self.frequency, self.phase, self.height_hu, strict=True):
            x, y, z = (np.sin(k * a + q).astype(np.float32) for k, a, q in zip(f, (x_mm, y_mm, z_mm), p, strict=True))
            out += (np.float32(h) * z)[:, None, None] * (y[:, None] * x[None, :])[None]
        return out


def _paint(slab: Slab, anatomy: Anatomy, layout: Layout, organs: dict[str, _OrganCanvas], texture: _Texture) -> Array:
    """One slab of the CT without noise, float32 HU; adds the slab's voxels to the organs' masks."""
    soft = layout.border_mm
    hu = np.full(slab.shape_zyx, AIR_HU, np.float32)
    if layout.surroundings is not None:
        layout.surroundings.paint(hu, slab.x_mm, slab.y_mm, slab.z_mm, soft)
    body = slab.box(anatomy.outline)
    if body[0].stop == 0:
        return hu
    x, y, z = slab.anatomy(body)
    skin = anatomy.outline.distance(x, y, z)
    tissue = np.full(skin.shape, AIR_HU, np.float32)
    for part in anatomy.parts:
        here = _within(slab.box(part.shape), body)
        if here is None:
            continue
        distance = part.shape.distance(x[here], y[here], z[here])
        share = np.clip(0.5 - distance / np.float32(soft), 0, 1)
        tissue[here] += share * (np.float32(part.hu) - tissue[here])
        if part.organ:
            inside = (distance < 0) & (skin[here] < -SKIN_MM)
            lo = np.add([a.start + b.start for a, b in zip(body, here, strict=True)], (slab.first, 0, 0))
            for name, canvas in organs.items():
                canvas.set(inside, lo, claim=name == part.organ)
    tissue += texture(slab.x_mm[body[2]], slab.y_mm[body[1]], slab.z_mm[body[0]]) * (tissue > -500)
    view = hu[body]
    if layout.surroundings is not None:
        layout.surroundings.paint_mask(view, skin, z, soft)
    view += np.clip(0.5 - skin / np.float32(soft), 0, 1) * (tissue - view)
    return hu


def _within(box: Slices, outer: Slices) -> Slices | None:
    """The part of ``box`` that lies in ``outer``, counted from the start of ``outer``; None if nothing does."""
    z, y, x = (
        slice(max(b.start, o.start) - o.start, min(b.stop, o.stop) - o.start) for b, o in zip(box, outer, strict=True)
    )
    return None if z.start >= z.stop or y.start >= y.stop or x.start >= x.stop else (z, y, x)
