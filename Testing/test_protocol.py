"""Messages and lines: what goes in comes out, everything else is refused."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Testing.harness.fake_system import fake_volume
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.handover import (
    private_folder,
    put_organ,
    put_volume,
    remove_private_folder,
    take_organ,
    take_volume,
)
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.messages import Cancel, Close, Done, Error, GridMessage, Heartbeat, Load, Open, Organ, Progress, Run
from TwoStageSegLib.pipeline import OrganResult
from TwoStageSegLib.protocol import MAX_LINE_BYTES, LineBuffer, ProtocolError, decode_command, decode_event, encode
from TwoStageSegLib.region import Region

OBLIQUE = Geometry(
    (3, 4, 5), (0.1, -1 / 3, 1e-17), (0.7, 0.8, 2.5), ((0.6, -0.8, 0.0), (0.8, 0.6, 0.0), (0.0, 0.0, 1.0))
)


@pytest.mark.parametrize(
    "command",
    [
        Load("hn-oar-ct", "cuda"),
        Open("voxels-1.npy", GridMessage.of(OBLIQUE), "CT"),
        Run(3, ["Brainstem"], [Region.click("Brainstem", (1, 2, 3)).as_json()]),
        Cancel(3),
        Close(),
    ],
)
def test_a_command_survives_the_journey(command):
    line = encode(command)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    again = decode_command(line.strip())
    assert encode(again) == line and type(again) is type(command)


@pytest.mark.parametrize(
    "event",
    [
        Progress(1, "segment", "Brainstem", 0.5),
        Done(1, "CPU", {"total": 1.5}, ["a\nb é"]),
        Heartbeat(),
        Error("E", "m", "run"),
    ],
)
def test_an_event_survives_the_journey(event):
    assert decode_event(encode(event).rstrip(b"\n")) == event


def test_a_geometry_survives_bit_by_bit():
    line = encode(Open("voxels-1.npy", GridMessage.of(OBLIQUE)))
    assert decode_command(line).grid.geometry() == OBLIQUE


def test_a_region_survives():
    region = Region.box("Larynx", (0.1, 9, -3, 3, 1 / 3, 7))
    line = encode(Run(1, None, [region.as_json()]))
    assert Region.from_json(decode_command(line).regions[0]) == region


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        b'{"type": "dance"}',
        b'{"type": ["load"]}',
        b'{"type": "load"}',
        b'{"type": "load", "model": "a", "colour": 1}',
        b'{"type": "load", "model": 7}',
        b'{"type": "cancel", "run": true}',
        b'{"type": "cancel", "run": 1.5}',
        b'{"type": "done", "run": 1}',  # an event is no command
        b'{"type": "cancel", "run": 1, "run": 2}',
        b'{"type": "cancel", "run": NaN}',
        b"\xff\xfe",
        b'{"type": "load", "model": "' + b"a" * MAX_LINE_BYTES + b'"}',
    ],
)
def test_garbage_is_refused(line):
    with pytest.raises(ProtocolError) as info:
        decode_command(line)
    assert info.value.code == "E_PROTOCOL" and len(str(info.value)) < 300


@given(st.lists(st.binary(max_size=30)), st.lists(st.integers(1, 9)))
def test_lines_come_out_whole_however_the_bytes_arrive(lines, cuts):
    lines = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in lines)
    buffer, found, at = LineBuffer(), [], 0
    for size in [*cuts, len(stream)]:
        found += buffer.feed(stream[at : at + size])
        at += size
    assert found == lines


def test_an_endless_line_takes_bounded_memory_and_is_refused_once():
    buffer = LineBuffer()
    for _ in range(5):
        assert list(buffer.feed(b"x" * MAX_LINE_BYTES)) == []
    (line, after) = list(buffer.feed(b"\nnext\n"))
    assert len(line) == MAX_LINE_BYTES + 1 and after == b"next"
    with pytest.raises(ProtocolError, match="longer than"):
        decode_command(line)


@pytest.mark.parametrize(
    ("size", "direction"), [([1, 1], [[1.0] * 3] * 3), ([1, 1, 1], [[1.0] * 3] * 2), ([1, 1, 1], [[1.0], [1.0], [1.0]])]
)
def test_a_grid_of_the_wrong_size_is_refused(size, direction):
    with pytest.raises(ProtocolError, match="grid"):
        GridMessage(size, [0.0] * 3, [1.0] * 3, direction).geometry()


@pytest.fixture
def folder():
    made = private_folder()
    yield made
    remove_private_folder(made)


def test_a_volume_passes_through_a_file_mapped_and_read_only(folder):
    volume = fake_volume()
    command = put_volume(folder, 1, volume)
    taken = take_volume(folder, command)
    assert taken.geometry == volume.geometry and taken.modality == "CT"
    assert taken.voxels.dtype == np.int16 and np.array_equal(taken.voxels, volume.voxels)
    assert not taken.voxels.flags.writeable


def test_a_mask_passes_and_its_file_goes(folder):
    geometry = fake_volume().geometry
    mask = Mask("Larynx", np.ones((2, 3, 4), bool), (5, 6, 7), geometry, touches_edge=True)
    result = OrganResult("Larynx", Region.click("Larynx", (1, 2, 3)), mask, {"segment": 0.25})
    event = put_organ(folder, 4, 0, result)
    assert [p.name for p in folder.iterdir()] == [event.mask]
    again = take_organ(folder, event, geometry)
    assert list(folder.iterdir()) == []
    assert (again.region, again.seconds) == (result.region, result.seconds)
    assert again.mask.start_zyx == (5, 6, 7) and again.mask.touches_edge
    assert np.array_equal(again.mask.voxels, mask.voxels)


@pytest.mark.parametrize("name", ["../secret.npy", "/etc/passwd", "a/b.npy", "secret", "A.npy", "", ".npy"])
def test_a_message_can_name_no_other_file(folder, name):
    grid = GridMessage.of(fake_volume().geometry)
    with pytest.raises(ProtocolError):
        take_volume(folder, Open(name, grid))
    region = Region.click("Larynx", (1, 2, 3)).as_json()
    with pytest.raises(ProtocolError):
        take_organ(folder, Organ(1, "Larynx", region, name, [0, 0, 0], False, {}), grid.geometry())


def test_a_pickle_in_a_voxel_file_is_never_loaded(folder):
    np.save(folder / "voxels-1.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        take_volume(folder, Open("voxels-1.npy", GridMessage.of(OBLIQUE)))


def test_only_a_private_folder_is_ever_removed(tmp_path):
    (tmp_path / "keep").write_text("x")
    remove_private_folder(tmp_path)
    assert (tmp_path / "keep").exists()


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_the_folder_is_private(folder):
    assert folder.stat().st_mode & 0o777 == 0o700
