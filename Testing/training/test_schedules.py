"""Warm restarts against torch's; the phases of papers/004."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.schedules import FOCUS, FOCUS_WITHOUT_SHAPES, Phase, check_phases, cosine_restarts


def test_restarts_at_20_and_60():
    assert cosine_restarts(0) == cosine_restarts(20) == cosine_restarts(60) == 1.0
    assert cosine_restarts(10) == cosine_restarts(40) == pytest.approx(0.5)
    assert cosine_restarts(19.999) == pytest.approx(0.0, abs=1e-6)
    assert cosine_restarts(5, first=5, growth=1) == 1.0
    assert cosine_restarts(10, lowest=0.2) == pytest.approx(0.6)


def test_equals_torchs_schedule():
    optimiser = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=1e-3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, T_0=20, T_mult=2)
    for epoch in range(130):
        assert 1e-3 * cosine_restarts(epoch) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        theirs.step()


@pytest.mark.parametrize("phases", [FOCUS, FOCUS_WITHOUT_SHAPES])
def test_the_papers_order_holds_together(phases):
    check_phases(phases)
    assert phases[0].name == "main"
    assert phases[-1].turns[0] == ("s-net", "sol-net", "sos-net")


def test_segmenter_and_autoencoder_take_turns():
    assert FOCUS[3].turns == (("sos-net",), ("autoencoder",))
    assert all("autoencoder" not in turn for p in FOCUS_WITHOUT_SHAPES for turn in p.turns)
    assert FOCUS[0].steps(1000) == 500
    assert FOCUS[2].steps(3) == 1


def test_a_schedule_that_cannot_run_is_refused():
    with pytest.raises(ValueError, match="uses 's-net', which no phase before it trains"):
        check_phases(FOCUS[1:])
    with pytest.raises(ValueError, match="both steps and freezes 's-net'"):
        check_phases((FOCUS[0], Phase("again", (("s-net",),), 0.1, uses=("s-net",))))
    with pytest.raises(ValueError, match="more than the whole run"):
        check_phases((FOCUS[0], replace(FOCUS[0], share=0.7)))
