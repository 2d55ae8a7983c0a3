"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.outputs import atomic
from TwoStageSegLib.outputs.atomic import atomic_file


def test_the_file_appears_at_the_end_and_nothing_else_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.seg.nrrd"
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".seg.nrrd")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("trouble", [ValueError("x"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_temporary(tmp_path: Path, trouble: BaseException) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(type(trouble)), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise trouble
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("place", ["missing/out.txt", "a_file/out.txt", "a_folder"])
def test_an_impossible_place_is_refused_before_anything_happens(tmp_path: Path, place: str) -> None:
    (tmp_path / "a_file").write_text("")
    (tmp_path / "a_folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputRefused) as caught, atomic_file(tmp_path / place):
        pytest.fail("the block must not run")
    assert caught.value.code == "E_OUTPUT"
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_without_write_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)  # root may write anywhere, so the answer is played
    with pytest.raises(InputRefused, match="not writable"), atomic_file(tmp_path / "out.txt"):
        pytest.fail("the block must not run")


def test_a_full_disk_is_said_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="No space left") as caught, atomic_file(tmp_path / "out.txt"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.code == "E_OUTPUT"
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_not_about_the_output_passes_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "out.txt"):
        (tmp_path / "an input that is gone").read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_the_umask_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "out.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    before = os.umask(0o027)
    try:
        with atomic_file(link) as temporary:
            temporary.write_text("new")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
