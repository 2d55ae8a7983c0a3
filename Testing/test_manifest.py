"""manifest.json: read strictly, refused with the reason."""

from __future__ import annotations

import copy
import json

import pytest

from Testing.harness.bundles import manifest_values
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.manifest import MAX_MANIFEST_BYTES, parse_manifest


@pytest.fixture
def values(fake_bundle):
    return manifest_values(fake_bundle)


def parse(values):
    return parse_manifest(json.dumps(values).encode())


def changed(values, place, value):
    """A copy with ``place`` ("organs.0.name") set to ``value``; DELETE removes it."""
    out = copy.deepcopy(values)
    *way, last = place.split(".")
    target = out
    for key in way:
        target = target[int(key)] if isinstance(target, list) else target[key]
    key = int(last) if isinstance(target, list) else last
    if value is DELETE:
        del target[key]
    else:
        target[key] = value
    return out


DELETE = object()


def test_reads_every_field(values):
    manifest = parse(values)
    assert manifest.organ_names == ("Brainstem", "Parotid_R", "Parotid_L")
    assert manifest.organ("Parotid_R").output == 1
    assert manifest.networks["locate"].spacing_mm == [6.0, 6.0, 6.0]
    assert manifest.files["weights.safetensors"].bytes > 0
    assert manifest.evaluation == {}


def test_round_trip_through_its_own_json(values):
    manifest = parse(values)
    assert parse_manifest(manifest.to_json().encode()) == manifest


def test_an_unknown_organ_is_a_key_error(values):
    with pytest.raises(KeyError):
        parse(values).organ("Heart")


@pytest.mark.parametrize("key", ["name", "system", "licence", "organs", "files", "self_test", "parameters"])
def test_a_missing_key_is_refused(values, key):
    with pytest.raises(ModelRefused, match=f"lacks the key '{key}'"):
        parse(changed(values, key, DELETE))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("schema", "twostageseg/2", "schema 'twostageseg/2'.*Update TwoStageSeg"),
        ("schema", 1, "schema '1'"),
        ("comment", "hi", "manifest has the unknown key 'comment'"),
        ("organs.0.size", 1, r"organs\[0\] has the unknown key 'size'"),
        ("organs.0.threshold", "0.5", r"organs\[0\].threshold must be a finite number"),
        ("organs.0.threshold", 1.0, "Brainstem.threshold must be between 0 and 1"),
        ("organs.0.mirror", 0, r"organs\[0\].mirror must be of type bool"),
        ("organs.1.name", "Brainstem", "an organ is listed twice"),
        ("organs.0.crop_mm", [40.0, 40.0], "Brainstem.crop_mm must be 3 sizes"),
        ("organs.0.crop_mm", [40.0, 40.0, -1.0], "Brainstem.crop_mm must be 3 sizes"),
        ("organs.0.margin_mm", [1.0], "Brainstem.margin_mm must be 6"),
        ("organs.0.rgb", [0, 0, 256], "Brainstem.rgb must be 3 values"),
        ("organs", [], "organs must list"),
        ("name", "../evil", "name must be lower-case"),
        ("name", "Fake", "name must be lower-case"),
        ("input.clip", [300.0, -200.0], "input.clip must be"),
        ("input.scale", 0.0, "input.scale must be positive"),
        ("input.percentiles", [99.0, 1.0], "input.percentiles must be"),
        ("input.percentiles", [1.0], "input.percentiles must be"),
        ("input.percentiles", [-1.0, 99.0], "input.percentiles must be"),
        ("input.percentiles", ["1", "99"], r"percentiles\[0\] must be a finite number"),
        ("input.percentiles", [1.0, 99.0], "a CT has Hounsfield units"),
        ("networks.locate.file", "other.safetensors", "names a file that is not listed"),
        ("networks.locate.spacing_mm", [0.0, 1.0, 1.0], "locate.spacing_mm must be"),
        ("networks", {}, "networks must list"),
        ("self_test.file", "other.safetensors", "self_test names a file"),
        ("not_for", "patients", "not_for must be a list"),
    ],
)
def test_a_wrong_value_is_refused(values, place, value, message):
    with pytest.raises(ModelRefused, match=message):
        parse(changed(values, place, value))


@pytest.mark.parametrize("name", ["../weights", "a/b", "a\\b", "..", ".hidden", "x..y", "C:evil", "a" * 200, ""])
def test_a_file_name_that_could_leave_the_folder_is_refused(values, name):
    entry = values["files"]["weights.safetensors"]
    with pytest.raises(ModelRefused, match="is not allowed"):
        parse({**values, "files": {**values["files"], name: entry}})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"sha256": "00", "bytes": 1}, "64 hex digits"),
        ({"sha256": "G" * 64, "bytes": 1}, "64 hex digits"),
        ({"sha256": "0" * 64, "bytes": 0}, "implausible size"),
        ({"sha256": "0" * 64, "bytes": 10**12}, "implausible size"),
        ({"sha256": "0" * 64}, "lacks the key 'bytes'"),
    ],
)
def test_a_file_entry_that_makes_no_sense_is_refused(values, entry, message):
    with pytest.raises(ModelRefused, match=message):
        parse({**values, "files": {**values["files"], "weights.safetensors": entry}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"schema": "twostageseg/1", "schema": "twostageseg/1"}', "a key appears twice"),
        (b'{"schema": NaN}', "NaN is not allowed"),
        (b"[1]", "one JSON object"),
        (b"\x80\x04.", "not valid JSON"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "at most"),
    ],
)
def test_text_that_is_no_manifest_is_refused(text, message):
    with pytest.raises(ModelRefused, match=message):
        parse_manifest(text)
