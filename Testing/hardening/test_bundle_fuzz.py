"""Ten thousand changed bundles, with a fixed seed: no crash, and no changed file is ever accepted.

A manifest is not signed: a changed title is another, valid manifest, and the hash by which results name their model
shows it. What must hold: it is read exactly as it stands, or refused in one line. Everything else in a bundle is bound
by hashes: one bit, and it is refused.
"""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from Testing.harness.bundles import write_fake_bundle
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.manifest import parse_manifest
from TwoStageSegLib.model import Model, verify

BITS = [
    "null",
    "[]",
    "{}",
    "-1",
    "1e308",
    '"x"',
    "true",
    "NaN",
    "1e999",
    "\\u0000",
    '"',
    ",",
    "}",
    "[",
    "9" * 30,
    "\ud7ff",
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return write_fake_bundle(tmp_path_factory.mktemp("fuzz") / "fake")


def changed(data: bytes, rng: random.Random) -> bytes:
    """One bit, or one to three changes: bytes flipped, removed, doubled, moved, replaced by something JSON knows."""
    out = bytearray(data)
    if rng.random() < 0.3:
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        return bytes(out)
    for _ in range(rng.randint(1, 3)):
        if not out:
            break
        at, length = rng.randrange(len(out)), rng.choice((1, 1, 2, 5, 40))
        kind = rng.randrange(6)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + length]
        elif kind == 2:
            out[at:at] = out[at : at + length] * rng.choice((1, 2, 50))
        elif kind == 3:
            out[at : at + length] = rng.choice(BITS).encode()
        elif kind == 4:
            other = rng.randrange(len(out))
            out[at : at + length], out[other : other + length] = out[other : other + length], out[at : at + length]
        else:
            out[at:] = out[at : at + rng.randrange(len(out) - at + 1)]
    return bytes(out)


def fuzz_manifest(bundle: Path, rounds: int, seed: int) -> tuple[int, int]:
    text = (bundle / "manifest.json").read_bytes()
    original, rng = parse_manifest(text), random.Random(seed)
    accepted = refused = 0
    for _ in range(rounds):
        data = changed(text, rng)
        try:
            found = parse_manifest(data)
        except ModelRefused as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 400, str(error)
            continue
        accepted += 1
        plain = json.loads(data)
        stated = json.loads(found.to_json())
        assert all(same(value, stated[key]) for key, value in plain.items()), data
        if found != original:  # what the results say of their model differs too
            assert data != text
        for organ in found.organ_names:  # what is shown of it never fails
            found.measured(organ)
        asdict(found)
    return accepted, refused


def same(given: Any, read: Any) -> bool:
    """The value as it was given: defaults may be added, 1 may be read as 1.0, nothing else may differ."""
    if isinstance(given, dict):
        return isinstance(read, dict) and all(key in read and same(value, read[key]) for key, value in given.items())
    if isinstance(given, list):
        return isinstance(read, list) and len(given) == len(read) and all(map(same, given, read))
    return given == read and isinstance(given, bool) == isinstance(read, bool)


def fuzz_archive(bundle: Path, folder: Path, rounds: int, seed: int) -> tuple[int, int]:
    """A zip with changed bytes: refused, or what comes out are the very files that went in."""
    from TwoStageSegLib.session.models import Staged

    archive, own = folder / "new.zip", folder / "own"
    with zipfile.ZipFile(archive, "w") as packed:  # stored, so that changes reach the files themselves
        for file in sorted(bundle.iterdir()):
            packed.write(file, file.name)
    data, rng = archive.read_bytes(), random.Random(seed)
    originals = {p.name: p.read_bytes() for p in bundle.iterdir()}
    accepted = refused = 0
    for _ in range(rounds):
        archive.write_bytes(changed(data, rng))
        try:
            staged = Staged(archive)
        except ModelRefused as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 400, str(error)
        else:
            accepted += 1
            assert {p.name: p.read_bytes() for p in staged.model.folder.iterdir()} == originals
            staged.discard()
        assert list(own.iterdir()) == []
    return accepted, refused


def fuzz_files(bundle: Path, folder: Path, rounds: int, seed: int) -> None:
    """One change to one listed file: always refused."""
    copy, rng = Path(shutil.copytree(bundle, folder / "copy")), random.Random(seed)
    names = sorted(p.name for p in copy.iterdir() if p.name != "manifest.json")
    for _ in range(rounds):
        name = rng.choice(names)
        data = (copy / name).read_bytes()
        if (other := changed(data, rng)) == data:
            continue
        (copy / name).write_bytes(other)
        with pytest.raises(ModelRefused):
            verify(copy)
        (copy / name).write_bytes(data)
    assert isinstance(verify(copy), Model)


def test_changed_manifests(bundle):
    accepted, refused = fuzz_manifest(bundle, 1000, seed=1)
    assert accepted > 50 and refused > 500, (accepted, refused)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_changed_archives(bundle, tmp_path, monkeypatch):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    accepted, refused = fuzz_archive(bundle, tmp_path, 120, seed=2)
    assert accepted >= 1 and refused > 50, (accepted, refused)


def test_changed_files(bundle, tmp_path):
    fuzz_files(bundle, tmp_path, 60, seed=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_ten_thousand_changes(bundle, tmp_path, monkeypatch):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    manifests = fuzz_manifest(bundle, 8000, seed=20261120)
    archives = fuzz_archive(bundle, tmp_path, 1500, seed=20261121)
    fuzz_files(bundle, tmp_path, 500, seed=20261122)
    assert sum(manifests) + sum(archives) + 500 == 10_000
