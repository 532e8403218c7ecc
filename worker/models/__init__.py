"""The networks alone, usable in a notebook; no queue, no files."""
