"""The 65 numbered bad inputs, each through the command line and through the session."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from Testing.harness.dicom import CANARY
from Testing.harness.fake_system import HU

from . import cases_files, cases_grids, cases_runs, cases_series  # noqa: F401 - they fill the table
from .scans import labels_in
from .table import TABLE, TOTAL, Case, Expected

TESTS = Path(__file__).resolve().parents[1]
CASES = sorted(TABLE.cases, key=lambda c: c.number)
NAMES = [f"{c.number:02d} {c.title}" for c in CASES]


def test_all_numbers_are_accounted_for():
    assert TABLE.numbers() == set(range(1, TOTAL + 1))


@pytest.mark.parametrize("entry", TABLE.others, ids=lambda e: f"{e.number:02d} {e.title}")
def test_what_is_not_in_the_table_has_a_reason_or_tests_that_exist(entry):
    assert entry.because or entry.tests
    for place in entry.tests:
        file, _, function = place.partition("::")
        assert f"def {function}(" in (TESTS / file).read_text(encoding="utf-8"), place


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_on_the_command_line(case: Case, tmp_path, bundle, fake_machine, call, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    for given in case.inputs(tmp_path / "in"):
        code = call("segment", given.path, "--model", bundle, "-o", "o.seg.nrrd", "--json", "o.json", *given.options)
        shown = capsys.readouterr()
        written = {p.name for p in Path().iterdir()}
        told = f"{given.path.name}: {shown.err or shown.out}"
        assert code == case.expected.exit_code, told
        assert re.search(case.expected.says, shown.err + shown.out), told
        assert CANARY not in shown.err, told
        if case.expected.kind == "refused":
            assert shown.out == "" and shown.err.count("\n") == 1 and written == set(), told
            assert re.search(r"\[(E_\w+)\]$", shown.err.strip())[1] in case.expected.codes, told
            continue
        assert shown.err == "", told
        found = labels_in(Path("o.seg.nrrd")) if "o.seg.nrrd" in written else {}
        report = json.loads(Path("o.json").read_text(encoding="utf-8"))
        check_organs(case.expected, given.scan, found)
        for organ, entry in report["organs"].items():
            assert (entry["status"] == "not located") == (organ not in found), told
        for name in written:
            assert CANARY not in Path(name).read_bytes().decode("latin-1"), name
            Path(name).unlink()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_in_the_session(case: Case, tmp_path, seat):
    if isinstance(case.session, str):
        pytest.skip(case.session)
    expected = case.session or case.expected
    for given in case.inputs(tmp_path):
        node = seat.open(given.path)
        verdict = seat.verdict(node)
        if expected.kind == "refused":
            allowed = (*expected.codes, importlib.import_module(".in_scene", __package__).NOT_LOADED)
            assert verdict in allowed, f"{given.path.name}: {verdict}"
        else:
            assert verdict == "", f"{given.path.name}: {verdict}"
            check_organs(expected, given.scan, seat.run())
        assert CANARY not in seat.session.log.text
        seat.clean()


def check_organs(expected: Expected, scan, found) -> None:
    """Every organ that is on the scan is where it is there, to 0.01 mm; nothing else is found."""
    there = {organ for organ in HU if scan.points(organ)}
    if expected.kind == "exact":
        assert set(found) == there
    assert set(found) <= there
    for organ, points in found.items():
        assert points == scan.points(organ), organ
