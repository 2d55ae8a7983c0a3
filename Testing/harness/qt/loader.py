"""``slicer.util.loadUI``: a ``.ui`` file, checked against the fact table, Slicer's own widgets made of stand-ins.

Everything the file says about a class (property, signal, slot) is checked before a widget is made. Connections are
made by the bridge, because Qt does not know Slicer's signals; so are the properties of Slicer's own classes.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtUiTools

from . import api, bridge
from .errors import NotInSlicerError
from .standin import stand_in_for

_QT_ONLY = ("Line", "Spacer")


class _Loader(QtUiTools.QUiLoader):
    """Qt's own loader that knows the stand-ins."""

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> Any:
        if class_name.startswith("Q") or class_name in _QT_ONLY:
            return QtUiTools.QUiLoader.createWidget(self, class_name, parent, name)
        widget = stand_in_for(class_name)(parent=parent)
        widget.setObjectName(name)
        made = self.__dict__.setdefault("_made", [])
        made.append(widget)
        return widget


def load_ui(path: str | Path) -> Any:
    """The top widget of a ``.ui`` file."""
    if not Path(path).is_file():
        raise RuntimeError(f"Could not find UI file: {path}")
    tree = ET.parse(path)
    root = tree.getroot()
    check(root)
    later = _take_own_properties(root)
    connections = _take_connections(root)
    data = QtCore.QBuffer()
    data.setData(ET.tostring(root))
    data.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    bridge.loading = True
    try:
        widget = _Loader().load(data)
    finally:
        bridge.loading = False
    if widget is None:
        raise RuntimeError(f"Qt cannot load {Path(path).name}")
    found = {w.objectName: w for w in [widget, *widget.findChildren(QtCore.QObject)]}
    for name, values in later.items():
        for key, value in values.items():
            setattr(found[name], key, value)
    for sender, signal, receiver, slot in connections:
        found[sender].connect(signal, found[receiver], slot)
    return widget


def check(root: ET.Element) -> None:
    """Raise NotInSlicerError for the first thing in a ``.ui`` file that its class does not have."""
    classes = {w.get("name", ""): w.get("class", "") for w in root.iter("widget")}
    for widget in root.iter("widget"):
        name = widget.get("class", "")
        if name in _QT_ONLY:
            continue
        if not api.known(name):
            raise NotInSlicerError(f"{widget.get('name')}: Slicer has no widget class {name!r}")
        for prop in widget.findall("property"):
            if prop.get("stdset") != "0":
                api.check_property(name, prop.get("name", ""))
    for connection in root.iter("connection"):
        sender, receiver = (classes.get(connection.findtext(end, "")) for end in ("sender", "receiver"))
        if sender:
            api.check_signal(sender, connection.findtext("signal", ""))
        if receiver:
            api.check_slot(receiver, connection.findtext("slot", ""))


def _take_own_properties(root: ET.Element) -> dict[str, dict[str, Any]]:
    """Remove and return what only Slicer's classes have: widget name to property values."""
    taken: dict[str, dict[str, Any]] = {}
    for widget in root.iter("widget"):
        class_name = widget.get("class", "")
        if class_name.startswith("Q") or class_name in _QT_ONLY:
            continue
        for prop in widget.findall("property"):
            if prop.get("name") in api.own_members(class_name).properties:
                taken.setdefault(widget.get("name", ""), {})[prop.get("name", "")] = _value(prop[0])
                widget.remove(prop)
    return taken


def _take_connections(root: ET.Element) -> list[tuple[str, str, str, str]]:
    found = [
        (c.findtext("sender", ""), c.findtext("signal", ""), c.findtext("receiver", ""), c.findtext("slot", ""))
        for c in root.iter("connection")
    ]
    for block in root.findall("connections"):
        root.remove(block)
    return found


def _value(element: ET.Element) -> Any:
    text = element.text or ""
    if element.tag == "bool":
        return text == "true"
    if element.tag in ("number", "double"):
        return (int if element.tag == "number" else float)(text)
    if element.tag == "stringlist":
        return [s.text or "" for s in element.findall("string")]
    if element.tag == "color":
        return QtGui.QColor(*(int(element.findtext(c, "0")) for c in ("red", "green", "blue")))
    return text
