"""A module and its .ui run in the harness as they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SAMPLE = Path(__file__).parent / "sample" / "SampleModule.py"


@pytest.fixture
def sample(slicer_host: Any) -> Any:
    from Testing.harness.module import open_module

    opened = open_module(slicer_host, SAMPLE)
    yield opened
    opened.close()


def volume(name: str = "CT") -> Any:
    import slicer

    array = np.zeros((3, 4, 5), np.int16)
    array[1, 1:3, 1:4] = 100
    return slicer.util.addVolumeFromArray(array, name=name)


def test_it_is_described_opened_and_entered(sample: Any) -> None:
    assert sample.parent.title == "Sample"
    assert sample.parent.categories == ["Segmentation"]
    assert sample.parent.helpText == "Counts voxels."
    assert sample.module.started
    assert sample.widget.entered
    assert sample.panel.isEntered
    assert sample.ui.statusLabel.text == "Choose a volume."


def test_the_button_works_on_the_real_scene(sample: Any) -> None:
    assert not sample.ui.runButton.enabled
    with pytest.raises(AssertionError, match="'runButton' is disabled"):
        sample.click(sample.ui.runButton)
    node = volume()
    assert sample.ui.inputSelector.currentNode() is None  # "None" stays chosen
    sample.ui.inputSelector.setCurrentNode(node)
    assert sample.ui.statusLabel.text == "CT"
    sample.click(sample.ui.runButton)  # on_run takes no argument, the signal has one
    assert sample.ui.statusLabel.text == "6"
    assert sample.ui.progressBar.value == 100
    assert sample.widget.clicks == ["run"]


def test_what_goes_wrong_is_shown(sample: Any, slicer_host: Any) -> None:
    sample.ui.inputSelector.setCurrentNode(volume("broken"))
    with pytest.raises(AssertionError, match="this scan cannot be counted"):  # Slicer shows it and raises it again
        sample.click(sample.ui.runButton)
    assert slicer_host.dialogs.texts("error") == ["Counting failed.\n\nthis scan cannot be counted"]


def test_closing_the_scene_empties_the_selector(sample: Any, mini: Any) -> None:
    sample.ui.inputSelector.setCurrentNode(volume())
    mini.scene.Clear(False)
    assert sample.widget.clicks == ["closing"]
    assert sample.ui.inputSelector.currentNode() is None
    assert not sample.ui.runButton.enabled


def test_folding_and_timers(sample: Any) -> None:
    assert sample.ui.advancedButton.collapsed
    assert not sample.ui.fastBox.visible
    sample.click(sample.ui.advancedButton)
    assert sample.widget.clicks == [("fold", False)]
    assert sample.ui.fastBox.visible
    sample.widget.timer.start()
    sample.until(lambda: "timer" in sample.widget.clicks, 5)


def test_an_exception_in_a_slot_fails_the_test(sample: Any) -> None:
    sample.ui.fastBox.connect("toggled(bool)", lambda on: 1 / 0)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        sample.click_anyway = sample.ui.fastBox.click() or sample.process_events()


def test_a_process_left_behind_fails_the_test(slicer_host: Any) -> None:
    import qt

    from Testing.harness.module import open_module

    opened = open_module(slicer_host, SAMPLE)
    process = qt.QProcess()
    process.start(sys.executable, ["-c", "import time; time.sleep(60)"])
    process.waitForStarted(5000)
    opened.until = lambda condition, *_: (_ for _ in ()).throw(AssertionError) if not condition() else None
    with pytest.raises(AssertionError):
        opened.close()
    process.kill()
    process.waitForFinished(5000)
    del opened.until
    opened.close()


def test_pictures(sample: Any, tmp_path: Path) -> None:
    from PIL import Image

    one = Image.open(sample.picture(tmp_path / "one.png", 400, 1.0))
    two = Image.open(sample.picture(tmp_path / "two.png", 400, 2.0))
    narrow = Image.open(sample.picture(tmp_path / "narrow.png", 360, 1.0))
    assert one.width == 400
    assert two.size == (800, one.height * 2)
    assert narrow.width == 360
    assert len(set(np.asarray(one).reshape(-1, 4)[:, 0])) > 10  # something is drawn
    assert sample.minimum_width() <= 360
