"""The wings: one folder for each model, all of one shape. CONTRIBUTING.md shows a whole one."""
