"""No test is left out: where one mark is asked for, and where `make quality` names the folders."""

from pathlib import Path

import pytest

from tests.conftest import OWN_MARKS, pytest_ignore_collect

TESTS = Path(__file__).parents[1]


def test_every_folder_with_tests_is_a_package_and_none_lie_beside_them() -> None:
    assert list(TESTS.glob("test_*.py")) == []
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("mark", OWN_MARKS)
def test_files_and_folders_that_name_the_mark_are_collected(
    mark: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pytestconfig.option, "markexpr", mark)
    named, other, binary = (tmp_path / name for name in ("a/test_a.py", "b/test_b.py", "b/.test_b.py.swp"))
    for path in (named, other, binary):
        path.parent.mkdir(exist_ok=True)
    named.write_text(f"pytestmark = [pytest.mark.{mark}]")
    other.write_text("def test() -> None: ...")
    binary.write_bytes(b"\xff")
    assert pytest_ignore_collect(named, pytestconfig) is None
    assert pytest_ignore_collect(named.parent, pytestconfig) is None
    for path in (other, other.parent, binary):
        assert pytest_ignore_collect(path, pytestconfig) is True
    monkeypatch.setattr(pytestconfig.option, "markexpr", f"not {mark}")
    assert pytest_ignore_collect(other, pytestconfig) is None
