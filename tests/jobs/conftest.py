"""Fixtures of this room."""

from pathlib import Path

import pytest

from tests.jobs.installed import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder of packages as pip installs them."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
