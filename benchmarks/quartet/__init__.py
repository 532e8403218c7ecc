"""Our side of each comparison: the worker's own code, with nothing added."""
