"""Fixtures of this room."""

from pathlib import Path

import pytest

from jobs.store.results import Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """An empty results directory."""
    return Results(tmp_path / "results")
