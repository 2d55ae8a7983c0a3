"""Synthetic head-and-neck CTs with known organs: for tests, for ``make run``, for the tiny ``phantom`` bundle."""
