"""The panel's parts: Qt and Slicer's application on this side, ``TwoStageSegLib.session`` on the other."""
