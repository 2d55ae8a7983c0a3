"""The profile along one organ as a plot chart: risk and area per slice, flagged slices, and a line where the views are.

A plot series draws every row of its table, so the organ that is shown has small tables of its own beside the review's.
All these nodes hang on the review's table by references: they are found, replaced and removed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkIntArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..review.findings import Basis, OrganReview, SliceFinding
from .runtime import slicer_class

_ROLE = "TwoStageSeg.Profile."
_CHART, _SLICES, _FLAGS, _HERE = "chart", "slices", "flags", "here"
_X = "slice"
AREA, FLAGGED, HERE = "area (share of the largest)", "flagged", "this slice"
_NO_SLICE = -1


def figure_name(review: OrganReview) -> str:
    """What the curve shows, and the list's last column: a risk, or against a reference the slice's Dice."""
    return "Dice" if review.basis is Basis.REFERENCE else "risk"


def figure(finding: SliceFinding) -> float:
    """The slice's Dice if it is known, else its risk."""
    return finding.score if finding.dice is None else finding.dice


def show_profile(scene: Any, table: Any, review: OrganReview, rgb: tuple[int, int, int]) -> Any:
    """Draw the profile of one organ; nodes that are there from another organ or run are used again.

    Parameters
    ----------
    table : the review's table node. rgb : the organ's colour, 0..255, of the curve.

    Returns
    -------
    vtkMRMLPlotChartNode.
    """
    largest = max((s.area_mm2 for s in review.slices), default=0.0) or 1.0
    name = figure_name(review)
    numbers = [s.number for s in review.slices]
    values = {
        name: [figure(s) for s in review.slices],
        AREA: [s.area_mm2 / largest for s in review.slices],
    }
    flags = review.flagged
    slices = _data(scene, table, _SLICES, numbers, values)
    flagged = _data(scene, table, _FLAGS, [s.number for s in flags], {FLAGGED: [figure(s) for s in flags]})
    here = _node(scene, table, _HERE, "vtkMRMLTableNode")
    if here.GetNumberOfRows() != 2:
        _fill(here, [_NO_SLICE, _NO_SLICE], {HERE: [0.0, 1.0]})
    chart = _node(scene, table, _CHART, "vtkMRMLPlotChartNode")
    area = _series(scene, table, slices, AREA, (140, 140, 140), marker="None", line="Dash")
    curve = _series(scene, table, slices, name, rgb, marker="Circle", line="Solid", role="figure")
    flag = _series(scene, table, flagged, FLAGGED, (200, 30, 30), marker="Diamond", line="None")
    line = _series(scene, table, here, HERE, (0, 90, 220), marker="None", line="Solid")
    chart.RemoveAllPlotSeriesNodeIDs()
    for series in (area, curve, flag, line):
        if series is not flag or flags:  # a series without a row has no place in a chart
            chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(f"{review.organ}: {name} along the organ")
    chart.SetXAxisTitle("slice")
    chart.SetYAxisTitle("")
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(min(numbers, default=0) - 0.5, max(numbers, default=1) + 0.5)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.05)
    chart.SetTitleFontSize(12)
    chart.SetAxisTitleFontSize(11)
    chart.SetAxisLabelFontSize(10)
    chart.SetLegendVisibility(False)
    return chart


def move_marker(table: Any, number: int | None) -> None:
    """Put the line at a slice (counted from 1); None takes it out of sight."""
    here = table.GetNodeReference(_ROLE + _HERE)
    if here is None:
        return
    column = here.GetTable().GetColumnByName(_X)
    for row in range(2):
        column.SetValue(row, _NO_SLICE if number is None else number)
    column.Modified()
    here.GetTable().Modified()


def marked_slice(table: Any) -> int | None:
    """Where the line is, None if it is out of sight."""
    here = None if table is None else table.GetNodeReference(_ROLE + _HERE)
    number = _NO_SLICE if here is None else here.GetTable().GetColumnByName(_X).GetValue(0)
    return None if number == _NO_SLICE else int(number)


def chart_of(table: Any) -> Any | None:
    """The plot chart that belongs to a review's table."""
    return table.GetNodeReference(_ROLE + _CHART)


def picked_slice(scene: Any, series_id: str, row: int) -> int | None:
    """The slice number of a point that was clicked in a plot view; None if the point is not one of a slice."""
    series = scene.GetNodeByID(series_id)
    data = None if series is None else series.GetTableNode()
    if data is None or data.GetName() not in (_title(_SLICES), _title(_FLAGS)) or not 0 <= row < data.GetNumberOfRows():
        return None
    return int(data.GetTable().GetColumnByName(_X).GetValue(row))


def remove_profile(scene: Any, table: Any) -> None:
    """Take the chart, its series and its tables out of the scene."""
    for role in [r for r in _roles(table) if r.startswith(_ROLE)]:
        node = table.GetNodeReference(role)
        table.RemoveNodeReferenceIDs(role)
        if node is not None and scene.IsNodePresent(node):
            scene.RemoveNode(node)


def plot_view(scene: Any) -> Any:
    """A plot view node that belongs to the panel and to no layout; made once per scene, not saved with it."""
    view = scene.GetSingletonNode("TwoStageSeg", "vtkMRMLPlotViewNode")
    if view is None:
        owner = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "TwoStageSeg plot")  # keeps the layout away
        view = slicer_class("vtkMRMLPlotViewNode")()
        view.SetSingletonTag("TwoStageSeg")
        view.SetLayoutName("TwoStageSeg")
        view.SetName("TwoStageSeg profile")
        view.SetAndObserveParentLayoutNodeID(owner.GetID())
        for node in (owner, view):
            node.SetHideFromEditors(True)
            node.SetSaveWithScene(False)
        view = scene.AddNode(view)
        view.SetInteractionMode(view.InteractionModeSelectPoints)
    return view


def _roles(table: Any) -> list[str]:
    roles: list[str] = []
    table.GetNodeReferenceRoles(roles)
    return roles


def _title(role: str) -> str:
    return f"TwoStageSeg {role}"


def _node(scene: Any, table: Any, role: str, class_name: str) -> Any:
    node = table.GetNodeReference(_ROLE + role)
    if node is None:
        node = scene.AddNewNodeByClass(class_name, _title(role))
        node.SetName(_title(role))  # not made unique: a point is told by the table that it is in
        node.SetHideFromEditors(class_name == "vtkMRMLTableNode")
        table.SetNodeReferenceID(_ROLE + role, node.GetID())
    return node


def _data(scene: Any, table: Any, role: str, numbers: Sequence[int], values: Mapping[str, Sequence[float]]) -> Any:
    node = _node(scene, table, role, "vtkMRMLTableNode")
    _fill(node, numbers, values)
    return node


def _fill(node: Any, numbers: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
    columns = vtkTable()
    contents: list[tuple[str, Any, Sequence[float]]] = [(_X, vtkIntArray(), numbers)]
    contents += [(name, vtkDoubleArray(), cells) for name, cells in values.items()]
    for name, column, cells in contents:
        column.SetName(name)
        column.SetNumberOfValues(len(cells))
        for i, value in enumerate(cells):
            column.SetValue(i, value)
        columns.AddColumn(column)
    node.SetAndObserveTable(columns)


def _series(
    scene: Any, table: Any, data: Any, column: str, rgb: tuple[int, int, int], marker: str, line: str, role: str = ""
) -> Any:
    series = _node(scene, table, f"series {role or column}", "vtkMRMLPlotSeriesNode")
    series.SetName(column)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetAndObserveTableNodeID(data.GetID())
    series.SetXColumnName(_X)
    series.SetYColumnName(column)
    series.SetMarkerStyle(getattr(series, f"MarkerStyle{marker}"))
    series.SetLineStyle(getattr(series, f"LineStyle{line}"))
    series.SetMarkerSize(9 if column == FLAGGED else 5)
    series.SetColor(*(c / 255 for c in rgb))
    return series
