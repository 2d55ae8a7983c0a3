"""``python -m training data`` from the command line: layouts, names, what a person may get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from Testing.training.data.conftest import ct, labels, save
from training.__main__ import main
from training.data.layouts import names_of
from training.data.prepared import load_cases
from TwoStageSegLib.errors import UsageError


def test_a_decathlon_folder_becomes_prepared_cases(msd, tmp_path: Path, capsys) -> None:
    target = tmp_path / "prepared"
    assert main(["data", "msd", "--from", str(msd()), "--to", str(target), "--seed", "7"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"4 cases prepared in {target / 'task03-liver'}\n"
    assert "liver_000: Liver (" in shown.err
    cases = load_cases(target / "task03-liver")
    assert sorted(c.split for c in cases) == ["test", "train", "train", "validation"]
    about = json.loads((target / "task03-liver" / "dataset-task03-liver.json").read_text())
    assert about["seed"] == 7 and "ShareAlike" in about["licence"] and about["organs"] == ["Liver"]


def test_two_sets_may_share_a_folder(msd, tmp_path: Path) -> None:
    """papers/000 trains on SegTHOR and LCTSC together."""
    for i in range(3):
        save(tmp_path / "SegTHOR" / f"Patient_0{i}" / f"Patient_0{i}.nii.gz", ct())
        save(tmp_path / "SegTHOR" / f"Patient_0{i}" / "GT.nii.gz", labels(1, 2))
    to = ["--to", str(tmp_path / "prepared"), "--name", "both", "--quiet"]
    assert main(["data", "msd", "--from", str(msd("Other", {"0": "background", "1": "spleen"})), *to]) == 0
    assert main(["data", "segthor", "--from", str(tmp_path / "SegTHOR"), *to]) == 0
    folder = tmp_path / "prepared" / "both"
    assert {o for c in load_cases(folder) for o in c.known} == {"Spleen", "Esophagus", "Heart"}
    assert {p.name for p in folder.glob("*.json")} == {
        "dataset-segthor.json", "dataset-task03-other.json", "split-segthor.json", "split-task03-other.json",
    }  # fmt: skip


def test_ones_own_pairs(tmp_path: Path) -> None:
    for name in ("p1_a", "p1_b", "p2_a", "p3_a"):
        save(tmp_path / "in" / f"{name}_mr.nrrd", ct())
        save(tmp_path / "in" / f"{name}_seg.nrrd", labels(1, 2))
    call = ["data", "pairs", "--from", str(tmp_path / "in"), "--to", str(tmp_path), "--name", "out", "--quiet"]
    pattern = ["--image", "{case}_mr.nrrd", "--labels", "{case}_seg.nrrd", "--names", "1=Front", "2=Back"]
    assert main([*call, *pattern, "--modality", "MR", "--patient", "(p[0-9]+)_"]) == 0
    cases = {c.name: c for c in load_cases(tmp_path / "out")}
    assert cases["p1_a"].split == cases["p1_b"].split and set(cases["p1_a"].known) == {"Front", "Back"}


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["msd", "--from", "nowhere"], "no folder 'nowhere'"),
        (["pddca"], "--from DIR"),
        (["segthor", "--from", "."], "No case in"),
        (["pairs", "--from", ".", "--names", "1"], "LABEL=ORGAN"),
        (["pairs", "--from", ".", "--patient", "p"], "one group in brackets"),
    ],
)
def test_what_a_person_may_get_wrong_is_one_line(more, what, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", *more, "--to", str(tmp_path / "prepared")]) == 2
    shown = capsys.readouterr().err
    assert what in shown and shown.count("\n") == 1 and not (tmp_path / "prepared").exists()


def test_names() -> None:
    assert names_of(["1=Spleen", "a b=Liver=L"]) == {"1": "Spleen", "a b": "Liver=L"} and names_of([]) is None
    with pytest.raises(UsageError):
        names_of(["=x"])
