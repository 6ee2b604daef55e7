"""Find, load, reload and unload modules of both languages."""
