"""Tests of the Slicer module, through the harness and by reading its source."""
