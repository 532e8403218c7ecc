"""Parts of a day's file of the index: which changed, and that none is missed."""

from pathlib import Path

import pytest

from jobs.store import day_parts
from jobs.store.day_parts import Mark, changed_parts, last_parts, mark_of
from tests.store.folders import id_of


def line(number: int, text: str = "x") -> bytes:
    return b'{"id":"%s","text":"%s"}\n' % (id_of(number).encode(), text.encode())


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_parts, "PART_BYTES", 300)
    monkeypatch.setattr(day_parts, "MOST_LINE_BYTES", 200)


def changed(path: Path, before: Mark | None = None) -> tuple[Mark, dict[int, bytes]]:
    with path.open("rb") as file:
        now = mark_of(file)
        return now, {part.number: part.content for part in changed_parts(file, now, before)}


@pytest.mark.parametrize("length", [1, 60, 149])
def test_the_parts_of_a_file_are_all_of_its_lines_each_once(tmp_path: Path, length: int) -> None:
    path = tmp_path / "day"
    lines = [line(number, "y" * (length + number % 3)) for number in range(50)]
    path.write_bytes(b"".join(lines))
    _, parts = changed(path)
    assert list(parts) == list(range(len(parts)))
    assert b"".join(parts.values()) == path.read_bytes()
    assert all(content.endswith(b"\n") for content in parts.values() if content)
    with path.open("rb") as file:
        backwards = [part.content for part in last_parts(file, mark_of(file))]
    assert backwards == list(parts.values())[::-1]


def test_one_more_line_changes_the_last_part_alone_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "day"
    mark, copied = None, {}
    for number in range(200):
        with path.open("ab") as file:
            file.write(line(number))
        mark, parts = changed(path, mark)
        assert len(parts) <= 2
        copied |= parts
    assert b"".join(copied[number] for number in sorted(copied)) == path.read_bytes()
    assert changed(path, mark) == (mark, {})


def test_half_a_line_belongs_to_no_part_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "day"
    path.write_bytes(line(1) + line(2)[:20])
    mark, parts = changed(path)
    assert parts == {0: line(1)}
    path.write_bytes(line(1) + line(2))
    assert changed(path, mark)[1] == {0: line(1) + line(2)}


def test_a_removed_line_changes_all_parts_though_the_file_is_as_long_as_before(tmp_path: Path) -> None:
    path = tmp_path / "day"
    lines = [line(number) for number in range(20)]
    path.write_bytes(b"".join(lines))
    mark, before = changed(path)
    path.write_bytes(b"".join([*lines[:3], *lines[4:], line(20)]))
    now, parts = changed(path, mark)
    assert now.end == mark.end
    assert list(parts) == list(before)


def test_an_empty_file_has_no_part(tmp_path: Path) -> None:
    path = tmp_path / "day"
    path.touch()
    assert changed(path)[1] == {}


def test_a_file_without_line_ends_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "day"
    path.write_bytes(b"z" * 2_000)
    assert sum(map(len, changed(path)[1].values())) <= 2_000
