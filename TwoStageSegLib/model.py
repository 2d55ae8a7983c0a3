"""Model bundles on disk: a folder of manifest, safetensors weights and model card, verified before a weight is used."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from .errors import ModelRefused, UsageError
from .manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest
from .resources import resource_path

DEFAULT_MODEL = "hn-oar-ct"
CARD = "MODEL_CARD.md"


@dataclass(frozen=True)
class Model:
    """A verified bundle: where it lies, what it says, and the hash that names exactly this one."""

    folder: Path
    manifest: Manifest
    sha256: str

    @property
    def name(self) -> str:
        return self.manifest.name

    def file(self, name: str) -> Path:
        return self.folder / name

    def read(self, name: str) -> bytes:
        """The bytes of a listed file, checked once more: what is used is what was verified, whatever came between."""
        try:
            data = self.file(name).read_bytes()
        except OSError as error:
            raise ModelRefused(f"{name} cannot be read ({error.strerror or 'input/output error'}).") from None
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name].sha256:
            raise ModelRefused(f"{name} has changed since the bundle was verified.")
        return data


def load_model(name_or_folder: str | os.PathLike[str]) -> Model:
    """Find a bundle by installed name or folder, and verify it.

    Raises
    ------
    UsageError : no such bundle. ModelRefused : the bundle is damaged, changed or not understood.
    """
    folder = Path(name_or_folder)
    if not _is_folder(folder):
        installed = {f.name: f for f in installed_folders()}
        if str(name_or_folder) not in installed:
            known = ", ".join(sorted(installed)) or "none"
            raise UsageError(
                "E_NO_MODEL", f"No model {str(name_or_folder)!r}. Installed: {known}; or give a bundle's folder."
            )
        folder = installed[str(name_or_folder)]
    return verify(folder)


def verify(folder: Path) -> Model:
    """Check manifest, file list, sizes and hashes of a bundle folder. Raises ModelRefused with the reason."""
    try:
        return _verified(folder)
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise ModelRefused(f"The bundle {folder.name[:80]} cannot be read ({reason}).") from None


def _verified(folder: Path) -> Model:
    path = folder / "manifest.json"
    _plain_file(path)
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ModelRefused(f"{path.name} is larger than {MAX_MANIFEST_BYTES} bytes.")
    text = path.read_bytes()
    manifest = parse_manifest(text)
    allowed = {"manifest.json", *manifest.files}
    if extra := sorted(p.name for p in folder.iterdir() if p.name not in allowed):
        raise ModelRefused(f"The bundle {manifest.name} holds {extra[0]!r}, which its manifest does not list.")
    for name, entry in manifest.files.items():
        file = folder / name
        _plain_file(file)
        if file.stat().st_size != entry.bytes:
            raise ModelRefused(f"{name} has {file.stat().st_size} bytes instead of {entry.bytes}: damaged or changed.")
        if sha256_of(file) != entry.sha256:
            raise ModelRefused(f"{name} does not have the hash its manifest states: damaged or changed.")
    return Model(folder, manifest, hashlib.sha256(text).hexdigest())


def installed_folders() -> list[Path]:
    """Folders of installed bundles: shipped ones, then the user's own (``TWOSTAGESEG_MODELS`` or the home folder).

    Each by name, but the one that is offered first (``DEFAULT_MODEL``) first.
    """
    roots = [resource_path("models"), own_models_folder()]
    return [f for root in roots if root.is_dir() for f in _in_order(root) if (f / "manifest.json").is_file()]


def _in_order(root: Path) -> list[Path]:
    return sorted(root.iterdir(), key=lambda folder: (folder.name != DEFAULT_MODEL, folder.name))


def own_models_folder() -> Path:
    """The user's own model folder, which updates of the product never touch; it may not exist yet."""
    return Path(os.environ.get("TWOSTAGESEG_MODELS") or Path.home() / ".twostageseg" / "models")


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long
        return False


def _plain_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise ModelRefused(f"The bundle's {path.name} is missing or is not a plain file.")
