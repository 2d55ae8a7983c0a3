"""Slicer's plot view, painted from the real chart, series and table nodes; a click on a point selects it."""

from __future__ import annotations

from typing import Any

import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .standin import StandIn, stand_in

_MARGIN_PX = (34, 20, 10, 32)  # left, top, right, bottom
_REACH_PX = 8.0


@stand_in
class qMRMLPlotView(StandIn, QtWidgets.QWidget):
    """Draws the chart of its plot view node."""

    def __init__(self, parent: Any = None):
        QtWidgets.QWidget.__init__(self, parent)
        self._scene: Any = None
        self._node: Any = None
        self._watched: list[tuple[Any, int]] = []

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node
        self._watch()

    def fitToContent(self) -> None:
        self.update()

    def RemovePlotSelections(self) -> None:
        """Nothing stays selected here."""

    def _chart(self) -> Any:
        return None if self._node is None else self._node.GetPlotChartNode()

    def _watch(self, *_: Any) -> None:
        for target, tag in self._watched:
            target.RemoveObserver(tag)
        found = [self._node, self._chart()]
        self._watched = [
            (n, n.AddObserver(vtk.vtkCommand.ModifiedEvent, self._changed)) for n in found if n is not None
        ]
        self.update()

    def _changed(self, *_: Any) -> None:
        if [n for n, _ in self._watched] != [n for n in (self._node, self._chart()) if n is not None]:
            self._watch()
        self.update()

    def _points(self, series: Any) -> list[QtCore.QPointF]:
        """Where the points of a series are drawn, pixels."""
        chart, table = self._chart(), series.GetTableNode().GetTable()
        columns = [table.GetColumnByName(n) for n in (series.GetXColumnName(), series.GetYColumnName())]
        left, top, right, bottom = _MARGIN_PX
        width = QtWidgets.QWidget.width(self) - left - right
        height = QtWidgets.QWidget.height(self) - top - bottom
        (x0, x1), (y0, y1) = chart.GetXAxisRange(), chart.GetYAxisRange()
        rows = range(table.GetNumberOfRows())
        return [
            QtCore.QPointF(
                left + (columns[0].GetTuple1(i) - x0) / (x1 - x0) * width,
                top + (1 - (columns[1].GetTuple1(i) - y0) / (y1 - y0)) * height,
            )
            for i in rows
        ]

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(QtWidgets.QWidget.rect(self), QtGui.QColor(255, 253, 246))
        chart = self._chart()
        if chart is None:
            return
        left, top, right, bottom = _MARGIN_PX
        frame = QtWidgets.QWidget.rect(self).adjusted(left, top, -right, -bottom)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtGui.QColor(90, 90, 90))
        painter.drawText(QtCore.QRect(0, 2, QtWidgets.QWidget.width(self), top), 0x84, chart.GetTitle() or "")
        painter.drawText(QtCore.QRect(0, frame.bottom(), QtWidgets.QWidget.width(self), bottom), 0x84, _range(chart))
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        painter.drawLine(frame.bottomLeft(), frame.topLeft())
        painter.setClipRect(frame.adjusted(-4, -4, 4, 4))
        for i in range(chart.GetNumberOfPlotSeriesNodes()):
            self._paint(painter, chart.GetNthPlotSeriesNode(i))
        painter.end()

    def _paint(self, painter: QtGui.QPainter, series: Any) -> None:
        points = self._points(series)
        colour = QtGui.QColor.fromRgbF(*series.GetColor())
        painter.setPen(QtGui.QPen(colour, 1.5, _style(series)))
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        if series.GetLineStyle() != series.LineStyleNone:
            painter.drawPolyline(points)
        if series.GetMarkerStyle() != series.MarkerStyleNone:
            painter.setPen(QtGui.QPen(colour, 1))
            painter.setBrush(colour)
            half = series.GetMarkerSize() / 2
            for point in points:
                painter.drawEllipse(point, half, half)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """As VTK does it in the mode that selects points: the nearest point of any series, within reach."""
        chart, best = self._chart(), None
        for i in range(0 if chart is None else chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(i)
            for row, point in enumerate(self._points(series)):
                away = QtCore.QLineF(point, event.position()).length()
                if away <= _REACH_PX and (best is None or away < best[0]):
                    best = (away, series.GetID(), row)
        if best is not None:
            ids, rows, selections = vtk.vtkStringArray(), vtk.vtkIdTypeArray(), vtk.vtkCollection()
            ids.InsertNextValue(best[1])
            rows.InsertNextValue(best[2])
            selections.AddItem(rows)
            self._emit("dataSelected(vtkStringArray*,vtkCollection*)", ids, selections)


def _style(series: Any) -> QtCore.Qt.PenStyle:
    dashed = series.GetLineStyle() == series.LineStyleDash
    return QtCore.Qt.PenStyle.DashLine if dashed else QtCore.Qt.PenStyle.SolidLine


def _range(chart: Any) -> str:
    first, last = (round(v) for v in chart.GetXAxisRange())
    return f"{first}   {chart.GetXAxisTitle()}   {last}"
