"""Announces the empty models of `benchmarks.models` by entry points, as an installed package would."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs import models

NAMES = ("empty", "unpublished")


@contextmanager
def announced() -> Iterator[None]:
    """Let this process, and those that it starts, find the empty models for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="quartet-bench-") as place:
        installed = Path(place, "quartet_benchmarks-0.dist-info")
        installed.mkdir()
        lines = [f"{name} = benchmarks.models.{name}\n" for name in NAMES]
        (installed / "entry_points.txt").write_text(f"[{models.ENTRY_POINTS}]\n{''.join(lines)}")
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: quartet-benchmarks\nVersion: 0\n")
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = place if before is None else f"{place}{os.pathsep}{before}"
        sys.path.insert(0, place)
        models.packages.cache_clear()
        try:
            yield
        finally:
            sys.path.remove(place)
            os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
            models.packages.cache_clear()
