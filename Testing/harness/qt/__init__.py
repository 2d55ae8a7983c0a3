"""Plays the Qt half of the Slicer application with PySide6, on the real scene of slicer-core.

A module's own file and ``.ui`` run unchanged and do not notice. What they ask of Slicer is checked against tables of
what Slicer really has (``api``), so that a misspelled property, signal, slot or function fails here and not before a
user. It shows that the module's own Python is right; it cannot show that Slicer's widgets behave as their stand-ins.
"""
