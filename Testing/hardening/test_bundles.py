"""Bundles are hostile too: refused before use, with the reason, and nothing in them is run or left behind."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.untrained import write_untrained_bundle
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.model import verify

from .bad_bundles import FILES, NETWORKS, listed_again
from .scans import scan


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A bundle of tiny real networks that passes."""
    return write_untrained_bundle(tmp_path_factory.mktemp("good") / "untrained")


@pytest.fixture
def bad(good, tmp_path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(good, tmp_path / "in" / "untrained"))


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """The user's own folder of models."""
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.mark.parametrize("name", [*FILES, *NETWORKS])
def test_a_bad_bundle_on_the_command_line(name, bad, tmp_path, call, monkeypatch, capsys):
    spoil, words = {**FILES, **NETWORKS}[name]
    spoil(bad)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    ct = scan().save(tmp_path / "ct.nrrd")
    centre = "--centre=16,10,147"
    assert call("segment", ct, "--model", bad, "--organ", "Brainstem", centre, "--device", "cpu") == 3
    shown = capsys.readouterr()
    assert shown.err.endswith("[E_MODEL]\n") and shown.err.count("\n") == 1 and len(shown.err) < 400, shown.err
    assert re.search(words, shown.err), shown.err
    assert list((tmp_path / "out").iterdir()) == []  # nothing written, nothing unpickled


def test_the_good_one_passes(good, tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ct = scan().save(tmp_path / "ct.nrrd")
    options = ["--organ", "Brainstem", "--centre=16,10,147", "--device", "cpu"]
    assert call("segment", ct, "--model", good, *options) in (0, 4)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", ["folder", "zip"])
def test_a_bad_bundle_in_the_session(name, packed, bad, own, tmp_path):
    """As it is added: the copy is refused, the words are the user's to read, the folder of models stays empty."""
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from TwoStageSegLib.session.models import Staged

    spoil, words = FILES[name]
    spoil(bad)
    source = bad if packed == "folder" else zipped(bad, tmp_path / "new.zip")
    with pytest.raises(ModelRefused) as caught:
        Staged(source)
    assert re.search(words + "|not in both|more than the plain|instead of|no model", str(caught.value)), caught.value
    assert list(own.iterdir()) == []


def test_a_bad_bundle_that_lies_there_does_not_hide_the_others(good, own):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from TwoStageSegLib.session import installed_models

    for name, (spoil, _) in FILES.items():
        if name != "no manifest":
            spoil(Path(shutil.copytree(good, own / re.sub(r"\W", "-", name))))
    write_fake_bundle(own / "fine", "fine")
    entries = {e.folder.name: e for e in installed_models() if e.folder.parent == own}
    assert entries.pop("fine").model is not None
    assert len(entries) == len(FILES) - 1 and all(e.model is None and e.problem for e in entries.values())


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("kind", ["file", "manifest", "pipe"])
def test_links_and_pipes_are_not_opened(kind, bad, own, tmp_path):
    name = {"file": "segment.safetensors", "manifest": "manifest.json", "pipe": "MODEL_CARD.md"}[kind]
    shutil.move(bad / name, tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(bad / name)  # opening it would wait for ever
    else:
        (bad / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelRefused, match="not a plain file"):
        verify(bad)


def test_weights_that_change_after_they_were_verified_are_refused(bad):
    from TwoStageSegLib.pipeline import Pipeline

    model = verify(bad)
    data = bytearray((bad / "segment.safetensors").read_bytes())
    data[-1] ^= 1
    (bad / "segment.safetensors").write_bytes(data)
    with pytest.raises(ModelRefused, match="changed since"):
        Pipeline(model, "cpu")


def test_a_disk_that_breaks_while_a_bundle_is_read_is_a_refusal(bad, monkeypatch):
    def broken(file: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("TwoStageSegLib.model.sha256_of", broken)
    with pytest.raises(ModelRefused, match=r"cannot be read \(Input/output error\)"):
        verify(bad)


# -- archives


def zipped(folder: Path, target: Path, name=lambda n: n, how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", how) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, name(str(path.relative_to(folder))))
    return target


def _with(bundle: Path, target: Path, name: str, data: bytes, attributes: int = 0) -> Path:
    zipped(bundle, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr, entry.compress_type = attributes << 16, zipfile.ZIP_DEFLATED
        archive.writestr(entry, data)
    return target


def _bomb(bundle: Path, target: Path) -> Path:
    """A listed file whose packed 20 kB would become 20 MB."""
    (bundle / "MODEL_CARD.md").write_bytes(b"x")
    listed_again(bundle)
    (bundle / "MODEL_CARD.md").write_bytes(bytes(20_000_000))
    return zipped(bundle, target)


def _damaged(bundle: Path, target: Path) -> Path:
    zipped(bundle, target)
    data = bytearray(target.read_bytes())
    data[200:260] = os.urandom(60)
    target.write_bytes(data)
    return target


def _encrypted(bundle: Path, target: Path) -> Path:
    data = bytearray(zipped(bundle, target).read_bytes())
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + flag] |= 1
    target.write_bytes(data)
    return target


ARCHIVES = {
    "path with ..": lambda b, t: zipped(b, t, lambda n: f"../{n}"),
    "path from the root": lambda b, t: _with(b, t, "/etc/evil", b"x"),
    "path of Windows": lambda b, t: _with(b, t, "..\\evil", b"x"),
    "a drive of Windows": lambda b, t: _with(b, t, "C:evil", b"x"),
    "three folders deep": lambda b, t: zipped(b, t, lambda n: f"a/b/{n}"),
    "two folders": lambda b, t: zipped(b, t, lambda n: f"{'a' if n < 'm' else 'b'}/{n}"),
    "a link": lambda b, t: _with(b, t, "link", b"/etc/passwd", 0o120777),
    "a name twice": lambda b, t: _with(b, t, "manifest.json", b"{}"),
    "a file too many": lambda b, t: _with(b, t, "more.safetensors", b"x"),
    "300 files": lambda b, t: [_with(b, t, "0", b"")] and _many(b, t),
    "a bomb": _bomb,
    "a manifest of 20 MB": lambda b, t: _with_manifest(b, t, b" " * 20_000_000),
    "another packing": lambda b, t: zipped(b, t, how=zipfile.ZIP_LZMA),
    "a damaged middle": _damaged,
    "cut": lambda b, t: t.write_bytes(zipped(b, t).read_bytes()[:-30]) and t,
    "encrypted": _encrypted,
    "no zip": lambda b, t: t.write_bytes(b"PK\x03\x04 nothing") and t,
    "empty": lambda b, t: t.write_bytes(b"") or t,
}


def _many(bundle: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "a") as archive:
        for i in range(300):
            archive.writestr(f"{i}.txt", b"")
    return target


def _with_manifest(bundle: Path, target: Path, data: bytes) -> Path:
    (bundle / "manifest.json").write_bytes(data)
    return zipped(bundle, target)


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bad_zip_leaves_nothing(name, bad, own, tmp_path, monkeypatch):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from TwoStageSegLib.session import models

    archive = ARCHIVES[name](bad, tmp_path / "new.zip")
    unpacked = []
    real = shutil.copyfileobj
    monkeypatch.setattr(models.shutil, "copyfileobj", lambda a, b, *n: unpacked.append(b.name) or real(a, b, *n))
    before = {p for p in tmp_path.rglob("*") if own not in p.parents}
    with pytest.raises(ModelRefused) as caught:
        models.Staged(archive)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250
    assert list(own.iterdir()) == [] and {p for p in tmp_path.rglob("*") if own not in p.parents} - {own} == before
    assert unpacked == [] or name == "a damaged middle"  # what is wrong as a whole is refused before a byte is unpacked
