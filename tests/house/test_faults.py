"""docs/faults.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = (ROOT / "docs" / "faults.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", FAULTS))))
def test_each_test_that_is_named_exists(name: str) -> None:
    found = [path for path in ROOT.glob("tests/**/test_*.py") if f"def {name}(" in path.read_text()]
    assert len(found) == 1, found


def test_each_file_that_is_named_exists() -> None:
    assert all((ROOT / name).is_file() for name in re.findall(r"`(tests/[\w/]+\.py)`", FAULTS))
