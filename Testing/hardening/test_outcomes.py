"""What is neither right nor wrong must be said: low confidence, an unusual volume, an organ at the scan's edge."""

from __future__ import annotations

import json

from Testing.harness.bundles import manifest_values, write_fake_bundle, write_manifest
from Testing.harness.fake_system import UNSURE

from .scans import scan


def test_low_confidence_is_said(tmp_path, bundle, fake_machine, call, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(UNSURE, "Parotid_R")
    ct = scan().save(tmp_path / "ct.nrrd")
    assert call("segment", ct, "--model", bundle, "--json", "o.json", "--report", "o.html") == 0
    assert json.loads((tmp_path / "o.json").read_text())["organs"]["Parotid_R"]["status"] == "low confidence"
    assert "Parotid_R  low confidence" in capsys.readouterr().out
    assert "Low confidence: check that this is the right place." in (tmp_path / "o.html").read_text(encoding="utf-8")


def test_an_unusual_volume_is_said_in_the_report(tmp_path, fake_machine, call, monkeypatch):
    """A child's organ (5.12 ml) against a training range of adults."""
    monkeypatch.chdir(tmp_path)
    adults = write_fake_bundle(tmp_path / "adults", "adults")
    values = manifest_values(adults, "adults")
    for organ in values["organs"]:
        organ["volume_ml"] = [20.0, 60.0]
    write_manifest(adults, values)
    assert call("segment", scan().save(tmp_path / "ct.nrrd"), "--model", adults, "--report", "o.html") == 0
    assert "5.1 ml is outside the usual range of 20 to 60 ml." in (tmp_path / "o.html").read_text(encoding="utf-8")
