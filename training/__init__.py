"""Makes and measures model bundles: data -> fit -> evaluate -> export. Imports the engine; never the reverse."""
