"""Benchmarks: scripts that print ratios, measured interleaved in one run. Never a timed test."""
