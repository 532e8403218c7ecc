"""The id of a store: made once, whole, by whoever comes first."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.store import store_id
from jobs.store.store_id import ID_FILE, UNREADABLE, give_store_id, read_store_id


def test_of_many_who_give_an_id_at_once_all_get_the_same_and_leave_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "results"
    assert read_store_id(root) is None
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: give_store_id(root), range(16)))
    assert ids == {read_store_id(root)}
    assert [path.name for path in root.iterdir()] == [ID_FILE]


def test_what_is_no_id_is_never_replaced_nor_followed(tmp_path: Path) -> None:
    (tmp_path / ID_FILE).write_text("hello")
    assert give_store_id(tmp_path) == UNREADABLE
    (tmp_path / ID_FILE).unlink()
    (tmp_path / "elsewhere").write_text("0" * 32)
    (tmp_path / ID_FILE).symlink_to("elsewhere")
    assert give_store_id(tmp_path) == UNREADABLE


def test_a_file_that_its_maker_is_about_to_write_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / ID_FILE).touch()
    assert read_store_id(tmp_path) is None

    def write() -> None:
        time.sleep(0.2)
        (tmp_path / ID_FILE).write_text("1" * 32 + "\n")

    maker = threading.Thread(target=write)
    maker.start()
    assert give_store_id(tmp_path) == "1" * 32
    maker.join()


def test_an_empty_file_of_a_maker_that_died_is_replaced_and_one_that_wakes_up_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_id, "WRITER_SECONDS", 0.1)
    maker = os.open(tmp_path / ID_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    given = give_store_id(tmp_path, "2" * 32)
    os.write(maker, b"1" * 32)
    os.close(maker)
    assert given == read_store_id(tmp_path) == "2" * 32
    assert [path.name for path in tmp_path.iterdir()] == [ID_FILE]


def test_a_volume_that_takes_the_name_and_not_the_content_gets_its_id_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        os.truncate(tmp_path / ID_FILE, 0)  # what a network file system had not sent yet
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            give_store_id(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert give_store_id(tmp_path) == read_store_id(tmp_path)
