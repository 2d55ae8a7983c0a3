"""Which models are installed, what may be said about them, and how a new one gets in: verified, tested, then moved."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ModelRefused
from ..leftovers import abandoned, held_folder, remove_held
from ..manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest
from ..model import Model, installed_folders, own_models_folder, verify

_MAX_BUNDLE_BYTES = 4_000_000_000
_MAX_FILES = 200
_CORNER, _REPLACED = ".incoming-", "replaced"
_PLAIN_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# what a damaged or hostile zip makes zipfile raise, besides OSError
_ZIP_TROUBLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, ArithmeticError, LookupError),
)


@dataclass(frozen=True)
class Installed:
    """A bundle in the list: ``model`` if it can be used, else the ``problem`` in words."""

    folder: Path
    model: Model | None
    problem: str = ""

    @property
    def title(self) -> str:
        return f"{self.folder.name}: cannot be used" if self.model is None else self.model.manifest.title

    @property
    def name(self) -> str:
        return self.folder.name if self.model is None else self.model.name


def installed_models() -> list[Installed]:
    """Every installed bundle, verified; of two with one name the user's own counts, as on the command line."""
    found: dict[str, Installed] = {}
    _tidy(own_models_folder())
    for folder in installed_folders():
        try:
            entry = Installed(folder, verify(folder))
        except (ModelRefused, OSError) as error:
            entry = Installed(folder, None, str(error))
        found[entry.name] = entry
    return list(found.values())


def description(model: Model) -> list[tuple[str, str]]:
    """What the user must be able to read before using a model: pairs of heading and text."""
    m = model.manifest
    return [
        ("Intended use", m.intended_use),
        ("Not for", "; ".join(m.not_for)),
        ("Status", m.regulatory_status),
        ("Licence of the weights", m.licence.weights),
        ("Trained on", "; ".join(m.licence.training_data)),
        ("Attribution", "; ".join(m.licence.attribution)),
        ("Measured", "; ".join(f"{organ} {m.measured(organ) or 'not measured'}" for organ in m.organ_names)),
        ("Version", f"{m.version}, {m.created}"),
        ("SHA-256", model.sha256),
    ]


class Staged:
    """A new bundle on its way in: copied into a corner of the user's model folder and verified there.

    The corner begins with a dot and holds the bundle one level deeper than :func:`installed_folders` looks, so that
    nothing half copied is ever listed.

    Parameters
    ----------
    source : a bundle's folder, or a zip of one.

    Raises
    ------
    ModelRefused : it is no bundle, or damaged. Nothing is left behind.
    """

    def __init__(self, source: Path):
        self._root = own_models_folder()
        _tidy(self._root)
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._corner = held_folder(_CORNER, self._root)
        except OSError as error:
            raise ModelRefused(f"The folder of models cannot be written: {error.strerror or 'unknown'}.") from None
        try:
            inner = self._corner / "bundle"
            if source.is_dir():
                _copy_folder(source, inner)
            else:
                _unpack(source, inner)
            self.model = verify(inner)
        except OSError as error:
            self.discard()
            raise ModelRefused(f"The model cannot be copied: {error.strerror or 'unknown reason'}.") from None
        except ModelRefused:
            self.discard()
            raise

    def install(self) -> Path:
        """Move it into place. What it replaces is deleted last, and is back in place if anything fails."""
        target, old = self._root / self.model.name, self._corner / _REPLACED / self.model.name
        replaces = target.exists()
        try:
            if replaces:
                old.parent.mkdir()
                target.rename(old)
            try:
                (self._corner / "bundle").rename(target)
            except OSError:
                if replaces:
                    old.rename(target)
                raise
        except OSError as error:
            raise ModelRefused(f"The model cannot be installed: {error.strerror or 'unknown reason'}.") from None
        finally:
            self.discard()
        return target

    def discard(self) -> None:
        remove_held(self._corner)


def _tidy(root: Path) -> None:
    """Remove corners of programs that were killed; a model that was just being replaced goes back to its place."""
    for corner in abandoned(_CORNER, root):
        with suppress(OSError):
            for old in (corner / _REPLACED).iterdir():
                if not (root / old.name).exists():
                    old.rename(root / old.name)
        remove_held(corner)


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir()
    listing = source / "manifest.json"
    if not listing.is_file():
        raise ModelRefused("The folder is no model: it has no manifest.json.")
    files = sorted(source.iterdir())
    if len(files) > _MAX_FILES or any(f.is_symlink() or not f.is_file() for f in files):
        raise ModelRefused("The folder holds more than the plain files of one model.")
    with listing.open("rb") as stream:
        manifest = parse_manifest(stream.read(MAX_MANIFEST_BYTES + 1))
    _check_sizes(manifest, {f.name: f.stat().st_size for f in files})
    for file in files:
        shutil.copyfile(file, target / file.name)


def _unpack(source: Path, target: Path) -> None:
    """Only plain files, all in the zip's root or all in one folder, under their bare names.

    The manifest is read first: nothing is unpacked that it does not list with this size.
    """
    target.mkdir()
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            paths = [PurePosixPath(e.filename) for e in entries]
            parents = {p.parent for p in paths}
            named = {p.name: e for p, e in zip(paths, entries, strict=True)}
            if "manifest.json" not in named:
                raise ModelRefused("The zip file is no model: it has no manifest.json.")
            odd = any(len(p.parts) > 2 or ".." in p.parts for p in paths) or any(not _is_plain(e) for e in entries)
            if odd or len(entries) > _MAX_FILES or len(parents) > 1 or len(named) < len(entries):
                raise ModelRefused("The zip file holds more than the plain files of one model.")
            with archive.open(named["manifest.json"]) as packed:
                manifest = parse_manifest(packed.read(MAX_MANIFEST_BYTES + 1))
            _check_sizes(manifest, {name: e.file_size for name, e in named.items()})
            for name, entry in named.items():
                with archive.open(entry) as packed, (target / name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except _ZIP_TROUBLE:
        raise ModelRefused("The file is no zip file, or it is damaged or encrypted.") from None


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    """No link, and packed in a way every Python knows."""
    return not stat.S_ISLNK(entry.external_attr >> 16) and entry.compress_type in _PLAIN_PACKING


def _check_sizes(manifest: Manifest, sizes: Mapping[str, int]) -> None:
    """Refuse, before a byte is copied, files that the manifest does not list with this size."""
    wanted = {name: entry.bytes for name, entry in manifest.files.items()}
    for name in sorted(set(wanted) ^ (set(sizes) - {"manifest.json"})):
        raise ModelRefused(f"{name[:60]!r} is in the bundle or in its manifest, but not in both.")
    for name, size in wanted.items():
        if sizes[name] != size:
            raise ModelRefused(f"{name} has {sizes[name]} bytes instead of {size}: damaged or changed.")
    if sum(sizes.values()) > _MAX_BUNDLE_BYTES:
        raise ModelRefused("The bundle is implausibly large.")
