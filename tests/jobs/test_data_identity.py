"""Equal data has an equal identity; data of which that cannot be known soon has none."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import data_identity as module
from jobs.data_identity import MADE, MOST_BYTES, data_identity
from jobs.models import datasets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "below").mkdir(parents=True)
    (made / "a.png").write_bytes(b"a")
    (made / "below" / "b.png").write_bytes(b"b")
    return made


def identity(path: Path, unchanged_since: float | None = None) -> str | None:
    return data_identity(str(path), path.parent, unchanged_since)


def test_a_file_has_its_sha256_wherever_it_is(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "link").symlink_to("one")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert {identity(tmp_path / name) for name in ("one", "two", "link")} == {expected}


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.png").write_bytes(b"c"),
        lambda folder: (folder / "c.png").touch(),
        lambda folder: (folder / "a.png").rename(folder / "d.png"),
        lambda folder: (folder / "below" / "b.png").unlink(),
        lambda folder: (folder / "a.png").rename(folder / "below" / "a.png"),
    ],
)
def test_the_identity_of_a_folder_changes_with_any_file(
    folder: Path, change: Callable[[Path], object]
) -> None:
    before = identity(folder)
    assert before is not None
    assert identity(folder) == before
    change(folder)
    assert identity(folder) not in (before, None)


def test_what_is_large_not_there_or_no_plain_data_has_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert (
        identity(tmp_path / "large") is identity(tmp_path / "gone") is data_identity("a\0b", tmp_path) is None
    )
    os.mkfifo(tmp_path / "pipe")
    assert identity(tmp_path / "pipe") is None
    (folder / "elsewhere").symlink_to(tmp_path)
    assert identity(folder) is None
    (folder / "elsewhere").unlink()
    monkeypatch.setattr(module, "MOST_FILES", 1)
    assert identity(folder) is None


def test_what_changed_later_is_not_known(folder: Path) -> None:
    now = time.time() + 1
    assert identity(folder, now) == identity(folder) is not None
    assert identity(folder, now - 60) is identity(folder / "a.png", now - 60) is None


def test_a_dataset_is_its_files_or_the_download_that_they_would_be(tmp_path: Path) -> None:
    mnist = datasets()["mnist"].originals[0].sha256
    clothes = data_identity("fashion-mnist", tmp_path)
    assert clothes not in (data_identity("kmnist", tmp_path), None)
    (tmp_path / "fashion-mnist").mkdir()
    for original in datasets()["fashion-mnist"].originals:
        (tmp_path / original.file).write_bytes(original.sha256.encode())
    assert data_identity("fashion-mnist", tmp_path) not in (clothes, None)
    assert data_identity("mnist", tmp_path) == mnist
    assert data_identity("digits", tmp_path) == MADE
    assert data_identity("", tmp_path) == ""
    (tmp_path / "mnist.npz").write_bytes(b"another file")
    found = data_identity("mnist", tmp_path)
    assert found not in (mnist, None)
    assert data_identity("mnist", tmp_path, time.time() - 60) is None
    (tmp_path / "imdb.npz").write_bytes(b"one")
    (tmp_path / "imdb_word_index.json").write_bytes(b"two")
    pair = data_identity("imdb", tmp_path)
    (tmp_path / "imdb_word_index.json").write_bytes(b"three")
    assert data_identity("imdb", tmp_path) not in (pair, None)


def test_a_published_file_is_known_although_it_was_downloaded_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = datasets()["mnist"].originals[0]
    (tmp_path / "mnist.npz").write_bytes(b"stands for the published file")
    monkeypatch.setattr(module, "sha256_of", lambda _: original.sha256)
    assert data_identity("mnist", tmp_path, time.time() - 60) == original.sha256


def test_published_files_of_a_folder_are_known_as_their_download_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kmnist = datasets()["kmnist"]
    before = data_identity("kmnist", tmp_path)
    (tmp_path / "kmnist").mkdir()
    published = {tmp_path / original.file: original.sha256 for original in kmnist.originals}
    for path in published:
        path.touch()
    monkeypatch.setattr(module, "sha256_of", published.__getitem__)
    assert data_identity("kmnist", tmp_path, time.time() - 60) == before
