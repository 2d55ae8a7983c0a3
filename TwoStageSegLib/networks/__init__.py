"""Plain torch modules, one architecture per file. They live in the engine because Slicer runs them."""
