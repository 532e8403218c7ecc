"""A file is replaced atomically, whatever happens while it is written."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.store.atomic_files import seal_file, sha256_of, whole_file, write_json, write_text


def test_a_file_is_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(b"before")

    def fail_in_the_middle() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        fail_in_the_middle()
    assert path.read_bytes() == b"before"
    assert [left.name for left in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_what_a_dead_process_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with whole_file(path) as file:
        temporary = Path(file.name)
        file.write(b"first")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    temporary.symlink_to(elsewhere)
    write_text(path, "second")
    assert (path.read_text(), elsewhere.read_text()) == ("second", "not ours")
    assert sorted(left.name for left in tmp_path.iterdir()) == ["elsewhere", "job.json"]


@pytest.mark.parametrize("durable", [False, True])
def test_json_is_for_people_and_programs(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"ü": [1, None]}, durable=durable)
    assert path.read_text(encoding="utf-8").endswith("}\n")
    assert "ü" in path.read_text(encoding="utf-8")
    assert json.loads(path.read_bytes()) == {"ü": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, float("nan"))
    assert json.loads(path.read_bytes()) == {"ü": [1, None]}


def test_a_sealed_file_has_its_permissions_and_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"abc")
    assert seal_file(path, 0o640) == sha256_of(path)
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_threads_that_write_one_file_publish_only_whole_ones(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with whole_file(path) as file:
        file.write(b"the first half, ")
        with ThreadPoolExecutor(1) as other:
            other.submit(write_text, path, "another thread's").result()
        assert path.read_text() == "another thread's"
        file.write(b"and the second")
    assert path.read_text() == "the first half, and the second"
    assert [left.name for left in tmp_path.iterdir()] == ["job.json"]
