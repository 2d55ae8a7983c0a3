"""The clocks and counters behind ``Testing.benchmarks.limits``."""

from __future__ import annotations

import pytest
import torch

from Testing.benchmarks import stages as module
from Testing.benchmarks.peers import BLOCK, Peer, block_of, counted
from Testing.benchmarks.stages import Stages


def test_a_stage_does_not_count_what_it_calls(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    stages = Stages()

    def inner() -> None:
        now[0] += 3

    timed_inner = stages.timed("inner", inner)

    def outer() -> None:
        now[0] += 1
        timed_inner()
        timed_inner()
        now[0] += 0.5

    stages.timed("outer", outer)()
    assert dict(stages.seconds) == {"outer": 1.5, "inner": 6.0}
    assert stages.total == 7.5


def test_windows_are_those_that_monai_runs() -> None:
    from monai.inferers import sliding_window_inference

    peer = Peer("", lambda x: x, 0.75)
    for shape, count in (((48, 48, 48), 1), ((60, 48, 84), 4), ((150, 167, 48), 20)):
        image, calls = torch.zeros(1, 1, *shape), []

        def network(x: torch.Tensor, calls: list[int] = calls) -> torch.Tensor:
            calls.append(len(x))
            return x

        sliding_window_inference(image, (48, 48, 48), 1, network, overlap=0.25)
        assert peer.windows(image) == count == sum(calls)


def test_a_block_is_the_middle_and_never_more_than_the_image() -> None:
    image = torch.arange(80.0)[None, None, None, None].expand(1, 1, 50, 80, 80)
    block = block_of(image)
    assert block.shape[2:] == (50, BLOCK[1], BLOCK[2])
    assert (block[0, 0, 0, 0, 0], block[0, 0, 0, 0, -1]) == (10, 69)


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (torch.nn.Conv3d(2, 3, 3, padding=1), 4**3 * 2 * 3 * 27),
        (torch.nn.Conv3d(2, 3, 2, stride=2), 2**3 * 2 * 3 * 8),
        (torch.nn.ConvTranspose3d(2, 3, 2, stride=2), 4**3 * 2 * 3 * 8),
    ],
)
def test_multiply_adds_by_hand(layer: torch.nn.Module, macs: int) -> None:
    with counted([layer]) as found:
        layer(torch.zeros(1, 2, 4, 4, 4))
    assert sum(found) == macs
    layer(torch.zeros(1, 2, 4, 4, 4))
    assert len(found) == 1
