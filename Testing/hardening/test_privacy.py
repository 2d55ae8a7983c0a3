"""No network without being asked, no patient's name where it does not belong, nothing left in private folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from Testing.harness.fake_system import STALL, FakeSystem, fake_volume
from Testing.harness.workers import ready, until_entered
from TwoStageSegLib.worker_client import WorkerClient

from .mutations import put
from .scans import scan

ROOT = Path(__file__).resolve().parents[2]
CANARY = "ZZCANARY"
SILENT = """
import os, sys
def hook(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")) and event != "socket.gethostname":
        with open(os.environ["TWOSTAGESEG_TEST_NETWORK"], "a") as log:
            log.write(f"{event} {arguments!r}\\n")
        raise RuntimeError("the network was asked for something: " + event)
sys.addaudithook(hook)
"""


@pytest.fixture
def silence(tmp_path, monkeypatch) -> Path:
    """Every Python that starts from here fails at the first touch of the network, and says so in the returned file."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SILENT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "site"), str(ROOT))))
    log = tmp_path / "network.log"
    monkeypatch.setenv("TWOSTAGESEG_TEST_NETWORK", str(log))
    return log


def test_the_trap_works(silence, tmp_path):
    done = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], capture_output=True, text=True)
    assert done.returncode == 1 and "socket.__new__" in silence.read_text()


def test_segment_touches_no_network(silence, tmp_path, stand_in):
    """The whole command line with real networks, everything written, and not one socket."""
    ct = scan().save(tmp_path / "ct.nii.gz")
    options = ["--json", "o.json", "--report", "o.html", "--device", "cpu", "--centre=Larynx=26,28,160"]
    command = [sys.executable, "-m", "TwoStageSegLib.cli", "segment", str(ct), "--model", str(stand_in), *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode in (0, 4), done.stderr
    assert (tmp_path / "o.html").is_file() and not silence.exists()


def test_the_worker_touches_no_network(silence, scratch, stand_in):
    """What Slicer runs: model, volume, run, close. Its messages go through pipes and files alone."""
    with WorkerClient() as client:
        ready(client, stand_in)
        client.run()
        assert len(client.wait(60).organs) == 3
    assert not silence.exists()


def test_the_page_asks_nobody(tmp_path, bundle, fake_machine, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("segment", scan().save(tmp_path / "ct.nrrd"), "--model", bundle, "--report", "o.html") == 0
    page = (tmp_path / "o.html").read_text(encoding="utf-8").replace("http://www.w3.org/", "")
    for word in ("http://", "https://", 'src="//', "@import", "url(http", "<script src", "fetch(", "XMLHttp"):
        assert word not in page, word


# -- canaries


def dicom(folder: Path) -> Path:
    """In every text that a slice can hold, and in its file's name."""
    made = scan().series(folder / f"{CANARY}^FOLDER")
    for path in made.iterdir():
        ds = pydicom.dcmread(path)
        for name in (
            "InstitutionName",
            "ReferringPhysicianName",
            "StudyDescription",
            "ProtocolName",
            "PatientComments",
        ):
            setattr(ds, name, f"{CANARY} {name}")
        ds.StudyID = ds.AccessionNumber = CANARY
        ds.add_new(0x00091010, "LO", f"{CANARY} PRIVATE")
        ds.save_as(path)
    return made


def nrrd(folder: Path) -> Path:
    image = scan().image()
    image.SetMetaData("PatientName", f"{CANARY}^NAME")
    image.SetMetaData("content", CANARY)
    SimpleITK.WriteImage(image, str(folder / f"{CANARY}.nrrd"))
    return folder / f"{CANARY}.nrrd"


def nifti(folder: Path) -> Path:
    path = scan().save(folder / f"{CANARY}.nii")
    for offset, kind in ((148, "80s"), (228, "24s"), (328, "16s"), (14, "18s"), (4, "10s")):  # descrip, aux, intent, db
        put(offset, kind, CANARY.encode())(path)
    return path


def meta(folder: Path) -> Path:
    image = scan().image()
    image.SetMetaData("Comment", CANARY)
    image.SetMetaData("PatientName", CANARY)
    SimpleITK.WriteImage(image, str(folder / f"{CANARY}.mha"))
    return folder / f"{CANARY}.mha"


MAKERS = [dicom, nrrd, nifti, meta]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("broken", [False, True])
def test_no_name_in_outputs_or_messages(make, broken, tmp_path, bundle, fake_machine, call, monkeypatch, capfd):
    """What is written holds neither names nor paths of the input; nor does what goes wrong in the middle."""
    (tmp_path / CANARY).mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    if broken:
        monkeypatch.setenv(STALL, "segment-Parotid_R=raise")
    source = make(tmp_path / CANARY)
    assert b"ZZCANARY" in max(source.rglob("*"), default=source).read_bytes() or source.is_file()
    outputs = ["-o", "o.seg.nrrd", "--json", "o.json", "--report", "o.html"]
    assert call("segment", source, "--model", bundle, *outputs) == (1 if broken else 0)
    shown = capfd.readouterr()
    assert CANARY not in shown.out + shown.err
    written = list((tmp_path / "out").iterdir())
    assert len(written) == (0 if broken else 3)
    for path in written:
        data = path.read_bytes()
        assert CANARY.encode() not in data and str(tmp_path).encode() not in data, path.name
        if path.suffix == ".nrrd":
            image = SimpleITK.ReadImage(str(path))
            assert CANARY not in "".join(image.GetMetaData(k) for k in image.GetMetaDataKeys())


@pytest.mark.parametrize("make", MAKERS)
def test_no_name_in_the_session(make, tmp_path, seat, monkeypatch):
    """Its log, the words at every place, the segments' tags, the boxes' names, the folder that the worker reads."""
    (tmp_path / CANARY).mkdir()
    node = seat.open(make(tmp_path / CANARY))
    node.SetName(f"{CANARY}^NODE")
    session = seat.session
    assert seat.verdict(node) == ""
    seat.run()
    texts = [session.log.text, session.runs.outcome, *(session.problems.at(p) for p in session.problems.places)]
    segmentation = session.target.GetSegmentation()
    for i in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(i)
        assert "TwoStageSeg.ModelSha256" in str(segment)  # the printed form holds the tags
        texts += [segment.GetName(), segmentation.GetNthSegmentID(i), str(segment)]
    for name in ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsNode"):
        nodes = session.scene.GetNodesByClass(name)
        nodes.UnRegister(None)
        texts += [nodes.GetItemAsObject(i).GetName() for i in range(nodes.GetNumberOfItems())]
    assert CANARY not in "\n".join(texts)
    seat.clean()


def test_what_passes_to_the_worker_holds_voxels_and_nothing_else(client, bundle, scratch, tmp_path, monkeypatch):
    monkeypatch.setenv(STALL, "self_test=3")
    client.start()
    client.load(bundle)
    client.open(fake_volume())
    until_entered(tmp_path, "self_test")
    (folder,) = scratch.iterdir()
    (file,) = folder.iterdir()  # the worker has not come to it yet
    assert folder.stat().st_mode & 0o077 == 0
    assert np.array_equal(np.load(file), fake_volume().voxels)
    header = file.read_bytes()[:128]
    assert header.startswith(b"\x93NUMPY") and b"/" not in header and CANARY.encode() not in header


def test_an_unexpected_error_repeats_no_tag(tmp_path, bundle, fake_machine, call, monkeypatch, capsys):
    """Whatever a library puts into its error: a path is cut, a line stays a line."""

    def locate(self, volume, organs):
        raise ValueError(f"cannot handle '/scans/{CANARY}^NAME/ct.nrrd'\nsecond line")

    monkeypatch.setattr(FakeSystem, "locate", locate)
    monkeypatch.chdir(tmp_path)
    assert call("segment", scan().save(tmp_path / "ct.nrrd"), "--model", bundle) == 1
    shown = capsys.readouterr().err
    assert CANARY not in shown and shown.count("\n") == 1 and "[E_UNEXPECTED]" in shown
