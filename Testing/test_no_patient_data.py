"""No patient in what is written: a name is planted in every text of the input, and all that comes out is read."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.dicom import CANARY, stack, write
from Testing.harness.fake_reviews import ASKED, fake_judge
from Testing.harness.fake_system import HU, fake_volume
from Testing.test_cli import call, fake_machine
from Testing.test_review_cli import block, seg
from TwoStageSegLib import pipeline

__all__ = ["fake_machine"]
MARKS = (CANARY.encode(), b"19010101")


def nrrd(folder: Path) -> Path:
    """A file whose free keys, comment and content field name a patient."""
    import SimpleITK as sitk

    path = folder / f"{CANARY}.nrrd"
    image = _image()
    sitk.WriteImage(image, str(path))
    head, _, data = path.read_bytes().partition(b"\n\n")
    keys = f"content: {CANARY}\n# {CANARY}\nPatientName:={CANARY}^NAME\nDICOM_0010_0010:={CANARY}^NAME"
    path.write_bytes(head + b"\n" + keys.encode() + b"\n\n" + data)
    return path


def nifti(folder: Path) -> Path:
    nibabel = pytest.importorskip("nibabel")
    volume = fake_volume()
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.geometry.matrix
    image = nibabel.Nifti1Image(volume.voxels.transpose(2, 1, 0), affine)
    image.header["descrip"], image.header["db_name"] = f"{CANARY}^NAME", CANARY
    image.header["intent_name"] = CANARY
    path = folder / f"{CANARY}.nii.gz"
    nibabel.save(image, path)
    assert CANARY.encode() in gzip.decompress(path.read_bytes())[:348]
    return path


def metaimage(folder: Path) -> Path:
    import SimpleITK as sitk

    path = folder / f"{CANARY}.mha"
    image = _image()
    image.SetMetaData("PatientName", f"{CANARY}^NAME")
    sitk.WriteImage(image, str(path))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"ElementDataFile", f"Comment = {CANARY}\nElementDataFile".encode(), 1))
    return path


def dicom(folder: Path) -> Path:
    volume = fake_volume()
    slices = stack(volume.voxels, 5.0, volume.geometry.origin_lps)
    for each in slices:
        each.PixelSpacing = [4.0, 4.0]
        each.ReferringPhysicianName = each.StudyDescription = each.InstitutionName = f"{CANARY}^X"
    return write(folder / f"{CANARY}-series", slices)


def _image():
    import SimpleITK as sitk

    volume = fake_volume()
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetSpacing(volume.geometry.spacing_xyz_mm)
    image.SetOrigin(volume.geometry.origin_lps)
    return image


def leaks(folder: Path) -> list[str]:
    """Files below a folder that hold the planted name, packed or not."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            head, _, data = raw.partition(b"\n\n")
            unpacked = [gzip.decompress(part) for part in (raw, data) if part[:2] == b"\x1f\x8b"]
            found += [path.name for part in (raw, head, *unpacked) if any(mark in part for mark in MARKS)]
    return found


@pytest.mark.parametrize("made", [nrrd, nifti, metaimage, dicom])
def test_no_output_of_the_command_line_names_the_patient(made, tmp_path, fake_bundle, monkeypatch, capsys):
    monkeypatch.setattr(pipeline.Pipeline, "_judge", fake_judge)
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    ct = made(source)
    assert leaks(source) != []
    common = ("--model", fake_bundle, "--device", "cpu")
    files = ("-o", out / "a.seg.nrrd", "--json", out / "a.json", "--report", out / "a.html")
    assert call("segment", ct, *common, *files) == 0
    assert call("locate", ct, *common, "--json", out / "l.json") == 0
    tags = {o: {"DICOM.PatientName": f"{CANARY}^NAME"} for o in HU}
    given = seg(source / f"{CANARY}.seg.nrrd", *(block(o) for o in HU), tags=tags)
    files = ("--json", out / "r.json", "--csv", out / "r.csv", "--report", out / "r.html")
    assert call("review", given, "--image", ct, *common, *files) == 0
    files = ("--json", out / "e.json", "--csv", out / "e.csv", "--report", out / "e.html")
    assert call("review", out / "a.seg.nrrd", "--image", ct, "--reference", given, *files) == 0
    assert len(list(out.iterdir())) == 10 and leaks(out) == []
    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err and shown.err == ""
    assert '"organs"' in (out / "a.json").read_text()  # what was searched is what was written


def test_the_scene_carries_no_name_that_was_not_there(session, monkeypatch, tmp_path, mini):
    """The scan's node may be called as the user likes; nothing of that goes into segments, tables or the log."""
    from Testing.harness.sessions import run

    monkeypatch.setenv(ASKED, "1")
    node = session.volume_node
    node.SetName(f"{CANARY}^NAME")
    node.SetAttribute("DICOM.PatientName", f"{CANARY}^NAME")
    node.SetDescription(CANARY)
    run(session)
    session.reviewing.next()
    session.reviewing.mark_seen()
    session.reviewing.sign_off("Brainstem")
    assert mini.save_segmentation(session.target, tmp_path / "s.seg.nrrd")
    header = (tmp_path / "s.seg.nrrd").read_bytes().split(b"\n\n")[0]
    assert b"TwoStageSeg.SignedOff:" in header and b"TwoStageSeg.Audit:" in header and CANARY.encode() not in header
    table, chart = session.reviewing.table, session.reviewing.chart
    texts = [table.GetAttribute("TwoStageSeg.Review"), chart.GetTitle(), table.GetName(), session.log.text]
    texts += [
        table.GetCellText(r, c) for r in range(table.GetNumberOfRows()) for c in range(table.GetNumberOfColumns())
    ]
    assert not any(CANARY in (text or "") for text in texts)


def test_this_search_would_find_a_name(tmp_path):
    volume = fake_volume()
    mask = replace(block("Brainstem"), geometry=volume.geometry)
    seg(tmp_path / "x.seg.nrrd", mask, tags={"Brainstem": {"TwoStageSeg.Audit": CANARY}})
    (tmp_path / "y.json").write_text('{"name": "ZZCANARY"}')
    assert set(leaks(tmp_path)) == {"x.seg.nrrd", "y.json"}
