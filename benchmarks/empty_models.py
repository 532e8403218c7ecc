"""Makes the empty models of `benchmarks.models` known."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from jobs import models


@contextmanager
def announced() -> Iterator[None]:
    """Announce `empty` by an entry point, as an installed package would, to this process and its children."""
    with tempfile.TemporaryDirectory(prefix="quartet-bench-") as place:
        installed = Path(place, "quartet_empty-0.dist-info")
        installed.mkdir()
        (installed / "entry_points.txt").write_text(
            f"[{models.ENTRY_POINTS}]\nempty = benchmarks.models.empty\n"
        )
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: quartet-empty\nVersion: 0\n")
        before, packages = os.environ.get("PYTHONPATH", ""), models.packages
        sys.path.insert(0, place)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (place, before)))
        packages.cache_clear()
        try:
            yield
        finally:
            sys.path.remove(place)
            os.environ["PYTHONPATH"] = before
            packages.cache_clear()


def know_unpublished() -> None:
    """Make `unpublished` known to this process alone: a worker that finds it would make tasks for it."""
    packages = MappingProxyType({**models.packages(), "unpublished": ("benchmarks.models.unpublished",)})
    setattr(models, "packages", lambda: packages)  # noqa: B010 - its type is that of a cached function
