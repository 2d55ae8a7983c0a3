"""Hostile and damaged model bundles: what is done to a good one, and the words with which it is refused."""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from Testing.harness.bundles import manifest_values, write_manifest

Spoil = Callable[[Path], None]
Rows = dict[str, tuple[Spoil, str]]


def values_of(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))


def listed_again(bundle: Path) -> None:
    """The manifest with the sizes and hashes that the files have now: a bundle made to be bad, not damaged."""
    files = manifest_values(bundle)["files"]
    write_manifest(bundle, values_of(bundle) | {"files": files})


def manifest(place: str, value: Any) -> Spoil:
    """Set one value ("organs.0.name") of the manifest."""

    def spoil(bundle: Path) -> None:
        whole = values_of(bundle)
        target: Any = whole
        *way, last = place.split(".")
        for key in way:
            target = target[int(key)] if isinstance(target, list) else target[key]
        target[int(last) if isinstance(target, list) else last] = value
        write_manifest(bundle, whole)

    return spoil


def text(change: Callable[[str], str]) -> Spoil:
    """The manifest's text changed: what json.dumps would not write."""
    return lambda b: (b / "manifest.json").write_text(change((b / "manifest.json").read_text()), "utf-8") and None


def file(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    return lambda b: (b / name).write_bytes(change((b / name).read_bytes())) and None


def weights(change: Callable[[dict[str, np.ndarray]], Any], name: str = "segment.safetensors") -> Spoil:
    """Tensors changed in place, the manifest fitted to the new file."""

    def spoil(bundle: Path) -> None:
        tensors = {k: v.copy() for k, v in load_file(bundle / name).items()}
        change(tensors)
        save_file(tensors, bundle / name)
        listed_again(bundle)

    return spoil


def bytes_as(name: str, data: bytes) -> Spoil:
    def spoil(bundle: Path) -> None:
        (bundle / name).write_bytes(data)
        listed_again(bundle)

    return spoil


def set_first(value: float) -> Callable[[dict[str, np.ndarray]], None]:
    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors["head.bias"][0] = value

    return change


def parameters(text_of: str) -> Spoil:
    return text(lambda t: t.replace('"parameters": {}', '"parameters": {' + text_of + "}", 1))


class _Runs:
    """Unpickling this makes a folder: it must never be unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("pickled",)


# Refused by the files alone, before any network is built: on the command line, when listed, and when added.
FILES: Rows = {
    "wrong hash": (file("segment.safetensors", lambda d: d[:-1] + b"!"), "does not have the hash"),
    "cut": (file("segment.safetensors", lambda d: d[:-9]), "instead of"),
    "extra file": (lambda b: (b / "run.py").write_text("print()") and None, "run.py"),
    "hidden file": (lambda b: (b / ".x").write_bytes(b"") or None, r"\.x"),
    "folder inside": (lambda b: (b / "sub").mkdir() or (b / "sub" / "x").touch(), "sub|plain files"),
    "missing file": (lambda b: (b / "MODEL_CARD.md").unlink(), "MODEL_CARD.md"),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), "manifest.json"),
    "empty manifest": (lambda b: (b / "manifest.json").write_bytes(b"") or None, "not valid JSON"),
    "manifest of 2 MB": (file("manifest.json", lambda d: d + b" " * 2_000_000), "1000000"),
    "file in another folder": (
        manifest("files", {"../secret": {"sha256": "0" * 64, "bytes": 1}}),
        "not listed|not allowed|not in both",
    ),
    "file of a terabyte": (
        text(lambda t: t.replace('"bytes": ', '"bytes": 1000000000000', 1)),
        "implausible size|instead of",
    ),
    "unknown schema": (manifest("schema", "twostageseg/2"), "Update TwoStageSeg"),
    "unknown key": (manifest("__import__", "os"), "unknown key"),
    "code as a value": (manifest("input.scale", "__import__('os').system('id')"), "finite number"),
    "key twice": (text(lambda t: t.replace('"schema"', '"schema": "twostageseg/1", "schema"', 1)), "twice"),
    "NaN": (parameters('"recentre_mm": NaN'), "NaN is not allowed"),
    "beyond a float": (parameters('"recentre_mm": 1e999'), "beyond the range"),
    "beyond 64 bits": (parameters('"recentre_mm": 1' + "0" * 400), "64 bits"),
    "5000 digits": (parameters('"recentre_mm": 1' + "0" * 5000), "64 bits"),
    "nested 900 deep": (parameters('"x": ' + "[" * 900 + "]" * 900), "nested"),
    "nested 100,000 deep": (parameters('"x": ' + "[" * 100_000 + "]" * 100_000), "not valid JSON"),
    "a line break in the version": (manifest("version", "1.0\nSegment9_Name:=Evil"), "no plain line"),
    "a terminal's commands in the title": (manifest("title", "\x1b[2J"), "no plain line"),
    "half a character": (text(lambda t: t.replace('"title": "', '"title": "\\ud800', 1)), "no plain line"),
    "a name that leaves the folder": (manifest("name", "../../evil"), "lower-case"),
}

# Refused when the networks are made ready, before a voxel is looked at.
NETWORKS: Rows = {
    "pickle": (bytes_as("segment.safetensors", pickle.dumps(_Runs())), "do not fit|cannot be read"),
    "header of a terabyte": (bytes_as("segment.safetensors", struct.pack("<Q", 2**40) + b"{}"), "do not fit"),
    "header that nests": (
        bytes_as("segment.safetensors", struct.pack("<Q", 200_000) + b'{"a":' * 40_000),
        "do not fit",
    ),
    "weights NaN": (weights(set_first(np.nan)), "not numbers"),
    "weights infinite": (weights(set_first(np.inf)), "not numbers"),
    "weights of other shapes": (weights(lambda t: t.update({"head.bias": np.zeros(7, np.float32)})), "do not fit"),
    "weights missing": (weights(lambda t: t.pop("head.bias")), "do not fit"),
    "weights too many": (weights(lambda t: t.update(more=np.zeros(3, np.float32))), "do not fit"),
    "self-test of NaN": (
        weights(lambda t: t["locate.expected"].fill(np.nan), "selftest.safetensors"),
        "self-test of the network 'locate' failed",
    ),
    "self-test of other weights": (weights(set_first(3.0)), "self-test of the network 'segment' failed"),
    "self-test without a network": (
        weights(lambda t: t.pop("locate.input"), "selftest.safetensors"),
        "lacks the input",
    ),
    "self-test that tests nothing": (manifest("self_test.atol", 1e9), "at most"),
    "unknown system": (manifest("system", "os.system"), "needs the system"),
    "unknown architecture": (manifest("networks.segment.architecture", "eval"), "eval|unknown"),
    "arguments of a wrong type": (manifest("networks.segment.arguments.groups", 1.5), "not understood"),
    "groups 0": (manifest("networks.segment.arguments.groups", 0), "cannot be built"),
    "no such argument": (manifest("networks.segment.arguments.__class__", 1), "not understood"),
    "a network too large": (manifest("networks.segment.arguments.widths", [2048] * 7), "implausibly large"),
    "wrong channels": (manifest("networks.segment.arguments.outputs", 5), "outputs"),
    "crop of a kilometre": (manifest("organs.0.crop_mm", [2000.0] * 3), "implausibly many"),
    "locator at 0.1 mm": (manifest("networks.locate.spacing_mm", [0.1] * 3), "implausibly"),
    "unknown parameter": (manifest("parameters.shell", True), "unknown"),
    "organ without a network": (manifest("organs.0.network", "none"), "lacks the network"),
}
