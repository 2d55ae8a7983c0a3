"""CTK's widgets that do something a panel depends on; the others are plain stand-ins (``standin.stand_in_for``)."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .standin import StandIn, stand_in

_HEADER_PX = 26


class _Collapsing(StandIn):
    """What folds: its own children disappear, its header stays."""

    _defaults = {"collapsed": False, "collapsedHeight": 14, "contentsLineWidth": 1}

    def _set_collapsed(self, collapsed: Any) -> None:
        collapsed = bool(collapsed)
        if collapsed == self._read("collapsed"):
            return
        self._stored()["collapsed"] = collapsed
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.visible = not collapsed
        self.maximumHeight = _HEADER_PX if collapsed else 16777215
        self._folded(collapsed)

    def _folded(self, collapsed: bool) -> None:
        """For subclasses: what else happens."""


@stand_in
class ctkCollapsibleButton(_Collapsing, QtWidgets.QAbstractButton):
    """A header that folds what lies under it."""

    def __init__(self, text: Any = "", parent: Any = None):
        if isinstance(text, QtWidgets.QWidget):
            text, parent = "", text
        QtWidgets.QAbstractButton.__init__(self, parent)
        self.text = text or ""
        self.checkable = True
        self.checked = True
        self.setContentsMargins(0, _HEADER_PX, 0, 0)
        self.setSizePolicy(QtWidgets.QSizePolicy.Preferred, QtWidgets.QSizePolicy.Preferred)
        self.connect("toggled(bool)", self._toggled)

    def _toggled(self, checked: bool) -> None:
        self.collapsed = not checked

    def _folded(self, collapsed: bool) -> None:
        self.checked = not collapsed
        self._emit("contentsCollapsed(bool)", collapsed)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), _HEADER_PX - 4)
        option.text = ("▸ " if self.collapsed else "▾ ") + self.text
        painter = QtWidgets.QStylePainter(self)
        painter.fillRect(option.rect, option.palette.midlight())
        option.rect.adjust(6, 0, 0, 0)
        painter.drawItemText(option.rect, QtCore.Qt.AlignmentFlag.AlignVCenter, option.palette, True, option.text)


@stand_in
class ctkCollapsibleGroupBox(_Collapsing, QtWidgets.QGroupBox):
    """A group box that folds."""

    def __init__(self, title: Any = "", parent: Any = None):
        if isinstance(title, QtWidgets.QWidget):
            title, parent = "", title
        QtWidgets.QGroupBox.__init__(self, title or "", parent)
        self.checkable = True
        self.connect("toggled(bool)", self._toggled)

    def _toggled(self, checked: bool) -> None:
        self.collapsed = not checked

    def _folded(self, collapsed: bool) -> None:
        self.checked = not collapsed


@stand_in
class ctkComboBox(StandIn, QtWidgets.QComboBox):
    """A combo box that shows a default text while nothing is chosen."""

    def _get_currentUserDataAsString(self) -> str:
        return str(self.currentData or "")

    def _set_currentUserDataAsString(self, value: str) -> None:
        self.currentIndex = self.findData(value)

    def _set_defaultText(self, text: str) -> None:
        self._stored()["defaultText"] = text
        QtWidgets.QComboBox.setPlaceholderText(self, text)


@stand_in
class ctkPathLineEdit(StandIn, QtWidgets.QWidget):
    """A path to type or to browse for."""

    _defaults = {"showBrowseButton": True, "showHistoryButton": True}

    def __init__(self, parent: Any = None):
        QtWidgets.QWidget.__init__(self, parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._combo = QtWidgets.QComboBox(self)
        self._combo.setEditable(True)
        layout.addWidget(self._combo, 1)
        layout.addWidget(QtWidgets.QToolButton(self))
        self._combo.connect("editTextChanged(QString)", self._edited)

    def _get_currentPath(self) -> str:
        return str(self._combo.currentText)

    def _set_currentPath(self, path: str) -> None:
        self._combo.setEditText(str(path or ""))

    def _edited(self, path: str) -> None:
        self._emit("currentPathChanged(QString)", path)

    def comboBox(self) -> Any:
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        if self._combo.findText(self.currentPath) < 0:
            self._combo.addItem(self.currentPath)


@stand_in
class ctkColorPickerButton(StandIn, QtWidgets.QPushButton):
    """A button that shows a colour."""

    _defaults = {"displayColorName": True}

    def _get_color(self) -> QtGui.QColor:
        return self._stored().get("color") or QtGui.QColor("black")

    def _set_color(self, color: QtGui.QColor) -> None:
        if not isinstance(color, QtGui.QColor):
            raise TypeError(f"color takes a QColor, not {type(color).__name__}")
        if color == self.color:
            return
        self._stored()["color"] = color
        square = QtGui.QPixmap(14, 14)
        square.fill(color)
        self.icon = QtGui.QIcon(square)
        if self.displayColorName:
            self.text = color.name()
        self._emit("colorChanged(QColor)", color)


@stand_in
class ctkSliderWidget(StandIn, QtWidgets.QWidget):
    """A number on a scale."""

    _defaults = {"minimum": 0.0, "maximum": 99.0, "singleStep": 1.0, "decimals": 2, "tracking": True}

    def __init__(self, parent: Any = None):
        QtWidgets.QWidget.__init__(self, parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QDoubleSpinBox(self)
        self._box.setRange(0.0, 99.0)
        layout.addWidget(QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self), 1)
        layout.addWidget(self._box)
        self._box.connect("valueChanged(double)", self._moved)

    def _get_value(self) -> float:
        return float(self._box.value)

    def _set_value(self, value: float) -> None:
        self._box.value = float(value)

    def _set_minimum(self, value: float) -> None:
        self._stored()["minimum"] = float(value)
        self._box.minimum = float(value)

    def _set_maximum(self, value: float) -> None:
        self._stored()["maximum"] = float(value)
        self._box.maximum = float(value)

    def _set_suffix(self, text: str) -> None:
        self._stored()["suffix"] = text
        self._box.suffix = text

    def _moved(self, value: float) -> None:
        self._emit("valueIsChanging(double)", value)
        self._emit("valueChanged(double)", value)
