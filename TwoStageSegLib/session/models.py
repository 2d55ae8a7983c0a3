"""Which models are installed, what may be said about them, and how a new one gets in: verified, tested, then moved."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ModelRefused
from ..model import Model, installed_folders, own_models_folder, verify

_MAX_BUNDLE_BYTES = 4_000_000_000
_MAX_FILES = 200


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
        self._corner = self._root / f".incoming-{secrets.token_hex(4)}"
        try:
            self._corner.mkdir(parents=True)
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
        target, old = self._root / self.model.name, self._corner / "replaced"
        replaces = target.exists()
        try:
            if replaces:
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
        shutil.rmtree(self._corner, ignore_errors=True)


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir()
    files = sorted(source.iterdir())
    if not (source / "manifest.json").is_file():
        raise ModelRefused("The folder is no model: it has no manifest.json.")
    if len(files) > _MAX_FILES or any(f.is_symlink() or not f.is_file() for f in files):
        raise ModelRefused("The folder holds more than the plain files of one model.")
    for file in files:
        shutil.copyfile(file, target / file.name)


def _unpack(source: Path, target: Path) -> None:
    """Only plain files, all in the zip's root or all in one folder, under their bare names."""
    target.mkdir()
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            paths = [PurePosixPath(e.filename) for e in entries]
            parents = {p.parent for p in paths}
            if not any(p.name == "manifest.json" for p in paths):
                raise ModelRefused("The zip file is no model: it has no manifest.json.")
            if len(entries) > _MAX_FILES or len(parents) > 1 or any(len(p.parts) > 2 or ".." in p.parts for p in paths):
                raise ModelRefused("The zip file holds more than the plain files of one model.")
            if sum(e.file_size for e in entries) > _MAX_BUNDLE_BYTES:
                raise ModelRefused("The zip file is implausibly large.")
            for entry, path in zip(entries, paths, strict=True):
                with archive.open(entry) as packed, (target / path.name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise ModelRefused("The file is no zip file, or it is damaged or encrypted.") from None
