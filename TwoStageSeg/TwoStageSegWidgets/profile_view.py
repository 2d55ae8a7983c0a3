"""The profile along the organ: Slicer's own plot view, in the panel. It is made when there is something to plot."""

from __future__ import annotations

from typing import Any

import slicer

from TwoStageSegLib.scene.review_plot import plot_view
from TwoStageSegLib.session import Session


class ProfileView:
    """Shows ``session.reviewing.chart`` in a frame; a point that is clicked leads to its slice."""

    def __init__(self, frame: Any, session: Session):
        self._frame, self._session = frame, session
        self._view: Any = None
        self._node: Any = None
        self._picking = False

    def refresh(self) -> None:
        """Another chart, or none."""
        chart = self._session.reviewing.chart
        self._frame.visible = chart is not None
        if chart is None:
            return
        if self._view is None:
            self._view = slicer.qMRMLPlotView()
            self._view.setMRMLScene(slicer.mrmlScene)
            self._view.connect("dataSelected(vtkStringArray*,vtkCollection*)", self._selected)
            self._frame.layout().addWidget(self._view)
        node = plot_view(slicer.mrmlScene)
        if node is not self._node:  # the scene was closed meanwhile: it took the last one along
            self._node = node
            self._view.setMRMLPlotViewNode(node)
        if node.GetPlotChartNodeID() != chart.GetID():
            node.SetPlotChartNodeID(chart.GetID())

    def close(self) -> None:
        if self._view is not None:
            self._view.disconnect("dataSelected(vtkStringArray*,vtkCollection*)", self._selected)
            self._view.setMRMLPlotViewNode(None)
            self._view.setMRMLScene(None)

    def _selected(self, series: Any, selections: Any) -> None:
        """``series``: IDs of plot series nodes; ``selections``: for each, the rows of its table."""
        if self._picking:
            return
        self._picking = True
        for index in range(min(series.GetNumberOfValues(), selections.GetNumberOfItems())):
            rows = selections.GetItemAsObject(index)
            if rows.GetNumberOfValues() and self._session.reviewing.pick(series.GetValue(index), rows.GetValue(0)):
                break
        self._view.RemovePlotSelections()  # or the next click would bring this point along
        self._picking = False
