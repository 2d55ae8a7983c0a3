"""What Slicer does not have fails in the harness, loudly; what it has works as PythonQt shows it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.qt.errors import HarnessGapError, NotInSlicerError

UI = (Path(__file__).parent / "sample" / "Resources" / "UI" / "SampleModule.ui").read_text(encoding="utf-8")


@pytest.fixture
def qt(slicer_host: Any) -> Any:
    import qt

    return qt


@pytest.fixture
def ctk(slicer_host: Any) -> Any:
    import ctk

    return ctk


def test_a_property_is_an_attribute(qt: Any) -> None:
    label, button = qt.QLabel("a"), qt.QPushButton()
    label.text = "b"
    label.setText(label.text + "c")
    assert label.text == "bc"
    button.enabled = False
    assert button.enabled is False
    assert button.isEnabled() is False  # PythonQt shows the getter too where it has another name
    button.name = "mine"
    assert (button.objectName, button.name) == ("mine", "mine")
    assert button.className() == "QPushButton"
    with pytest.raises(TypeError, match="not callable"):
        label.text()  # the mistake of those who come from PyQt


def test_a_misspelled_property_is_refused(qt: Any) -> None:
    button = qt.QPushButton()
    with pytest.raises(NotInSlicerError, match=r"QPushButton has no property 'tooltip'"):
        button.tooltip = "a"
    with pytest.raises(AttributeError):
        print(button.tooltip)
    assert not hasattr(button, "tooltip")
    with pytest.raises(NotInSlicerError, match="read-only"):
        qt.QProgressBar().text = "a"


def test_a_class_of_the_modules_own_takes_attributes(qt: Any) -> None:
    class Row(qt.QWidget):
        def __init__(self, organ: str):
            super().__init__()
            self.organ = organ
            self.toolTip = organ

        def text(self) -> str:
            return self.organ.upper()

        def eventFilter(self, watched: Any, event: Any) -> bool:
            self.seen = event.type()
            return False

    row, other = Row("Larynx"), qt.QWidget()
    assert (row.organ, row.text(), row.toolTip) == ("Larynx", "LARYNX", "Larynx")
    other.installEventFilter(row)
    other.show()
    assert row.seen is not None


def test_surplus_arguments_are_dropped_and_counted_as_pythonqt_counts(qt: Any) -> None:
    button, got = qt.QPushButton(), []
    button.checkable = True

    class Panel:
        def nothing(self) -> None:
            got.append("nothing")

        def one(self, on: bool) -> None:
            got.append(("one", on))

    panel = Panel()
    button.connect("clicked(bool)", panel.nothing)
    button.connect("clicked(bool)", panel.one)
    button.connect("clicked(bool)", lambda organ="Larynx": got.append(organ))  # the trap: it gets the bool
    button.connect("clicked(bool)", partial(lambda organ, *rest: got.append((organ, rest)), "Larynx"))
    button.connect("clicked()", lambda organ="Larynx": got.append(organ))
    button.click()
    assert got == ["nothing", ("one", True), True, ("Larynx", (True,)), "Larynx"]


def test_disconnect(qt: Any) -> None:
    button, got = qt.QPushButton(), []
    slot = got.append
    button.connect("clicked(bool)", slot)
    button.click()
    assert button.disconnect("clicked(bool)", slot)
    button.click()
    assert got == [False]
    assert not button.disconnect("clicked(bool)", slot)


@pytest.mark.parametrize("signal", ["click()", "clicked(int)", "clicked", "pressed(bool)"])
def test_a_misspelled_signal_is_refused(qt: Any, signal: str) -> None:
    with pytest.raises(NotInSlicerError, match="has no signal"):
        qt.QPushButton().connect(signal, lambda: None)


def test_a_signal_that_only_qt5_has_is_refused(qt: Any) -> None:
    with pytest.raises(NotInSlicerError, match="in Qt 5 only"):
        qt.QComboBox().connect("currentIndexChanged(QString)", lambda text: None)


def test_signals_of_slicers_own_classes(ctk: Any, slicer_host: Any, mini: Any) -> None:
    import slicer

    box, got = slicer.qMRMLNodeComboBox(), []
    box.nodeTypes = ["vtkMRMLMarkupsROINode"]
    box.noneEnabled = True
    box.setMRMLScene(mini.scene)
    box.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: got.append(node and node.GetName()))
    box.connect("currentNodeChanged(bool)", got.append)
    with pytest.raises(NotInSlicerError, match=r"no signal 'currentNodeChanged\(\)'"):
        box.connect("currentNodeChanged()", lambda: None)
    with pytest.raises(NotInSlicerError, match="overloaded"):
        box.currentNodeChanged.connect(lambda: None)
    node = mini.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "box")
    mini.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "point")
    assert (box.nodeCount(), box.currentNode()) == (1, None)
    box.setCurrentNode(node)
    mini.scene.RemoveNode(node)
    assert got == ["box", True, None, False]
    box.setMRMLScene(None)


def test_slicers_own_classes_show_no_more_than_their_slots(ctk: Any, slicer_host: Any) -> None:
    import slicer

    box = slicer.qMRMLNodeComboBox()
    with pytest.raises(AttributeError):
        box.setNodeTypes(["vtkMRMLVolumeNode"])  # a setter in C++, but no slot
    with pytest.raises(NotInSlicerError, match="no property 'nodeType'"):
        box.nodeType = ["vtkMRMLVolumeNode"]
    with pytest.raises(TypeError, match="list of strings"):
        box.nodeTypes = "vtkMRMLVolumeNode"
    with pytest.raises(NotInSlicerError, match="no 'ctkColapsibleButton'"):
        ctk.ctkColapsibleButton()
    with pytest.raises(AttributeError):
        slicer.qMRMLNodeCombobox()
    with pytest.raises(HarnessGapError, match="does not play it yet"):
        slicer.qMRMLSegmentEditorWidget().rotateSliceViewsToSegmentation()


def test_the_functions_of_slicer_util(slicer_host: Any) -> None:
    import slicer
    from slicer.util import VTKObservationMixin, toBool

    assert VTKObservationMixin
    assert toBool("true")
    with pytest.raises(NotInSlicerError, match="has no public 'arrayFromVolumes'"):
        slicer.util.arrayFromVolumes()
    with pytest.raises(NotInSlicerError, match="no public 'sys'"):
        print(slicer.util.sys)  # imported there, not offered
    with pytest.raises(NotInSlicerError, match=r"slicer\.app has no 'layoutManger'"):
        slicer.app.layoutManger()
    with pytest.raises(ImportError):
        from slicer.util import noSuchFunction  # noqa: F401


def test_questions_must_be_answered_by_the_test(slicer_host: Any, qt: Any) -> None:
    import slicer

    from Testing.harness.qt.dialogs import UnansweredError

    slicer_host.dialogs.answer(True, False)
    assert slicer.util.confirmOkCancelDisplay("overwrite?")
    assert not slicer.util.confirmYesNoDisplay("sure?")
    with pytest.raises(UnansweredError, match="delete"):
        slicer.util.confirmOkCancelDisplay("delete?")
    slicer_host.dialogs.answer("/tmp/a.zip", qt.QMessageBox.Yes)
    assert qt.QFileDialog.getOpenFileName(None, "Add from file", "", "*.zip") == "/tmp/a.zip"
    box = qt.QMessageBox()
    box.text = "go on?"
    assert box.exec_() == qt.QMessageBox.Yes
    assert slicer_host.dialogs.shown[-1].text == "go on?"


def test_names_that_pythonqt_does_not_have(qt: Any) -> None:
    for name in ("Signal", "QNoSuchWidget"):
        with pytest.raises(NotInSlicerError, match=name):
            getattr(qt, name)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("noneEnabled/noneAllowed", "qMRMLNodeComboBox has no property 'noneAllowed'"),
        ("setMRMLScene(vtkMRMLScene*)/setScene(vtkMRMLScene*)", "qMRMLNodeComboBox has no slot"),
        ("mrmlSceneChanged(vtkMRMLScene*)/sceneChanged(vtkMRMLScene*)", "qMRMLWidget has no signal"),
        ("ctkSliderWidget/ctkSliderWidge", "no widget class 'ctkSliderWidge'"),
        ('name="toolTip"/name="tooltip"', "qMRMLNodeComboBox has no property 'tooltip'"),
    ],
)
def test_a_mistake_in_the_ui_file_is_refused(slicer_host: Any, tmp_path: Path, wrong: str, message: str) -> None:
    import slicer

    right, _, mistake = wrong.partition("/")
    assert right in UI
    file = tmp_path / "Wrong.ui"
    file.write_text(UI.replace(right, mistake), encoding="utf-8")
    with pytest.raises(NotInSlicerError, match=message):
        slicer.util.loadUI(str(file))


def test_settings_are_those_of_the_test(qt: Any, slicer_host: Any) -> None:
    qt.QSettings().setValue("TwoStageSeg/Test", "7")
    qt.QSettings().sync()
    assert qt.QSettings().value("TwoStageSeg/Test") == "7"
    assert Path(qt.QSettings().fileName()).is_relative_to(slicer_host.folder)


def test_everything_is_put_back(mini: Any, slicer_host: Any) -> None:
    import sys

    import slicer

    slicer_host.close()
    assert "qt" not in sys.modules
    assert "ctk" not in sys.modules
    assert type(slicer.util).__name__ == "module"
    assert not hasattr(slicer, "qMRMLNodeComboBox")
