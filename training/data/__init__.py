"""Data sets as researchers have them, turned into one prepared layout that every recipe reads."""
