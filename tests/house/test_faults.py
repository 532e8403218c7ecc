"""docs/faults.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = (ROOT / "docs" / "faults.md").read_text()


@pytest.fixture(scope="module")
def sources() -> list[str]:
    """The text of each file of tests."""
    return [path.read_text() for path in ROOT.glob("tests/**/test_*.py")]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", FAULTS))))
def test_each_test_that_is_named_exists(name: str, sources: list[str]) -> None:
    assert sum(f"def {name}(" in text for text in sources) == 1


def test_each_file_that_is_named_exists() -> None:
    assert all((ROOT / name).is_file() for name in re.findall(r"`(tests/[\w/]+\.py)`", FAULTS))
