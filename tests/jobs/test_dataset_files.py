"""A dataset that is not whole is not said to be in the data folder."""

import gzip
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from jobs import dataset_files
from jobs.dataset_files import StoredDataset, stored_dataset
from jobs.datasets import Dataset, Original


def dataset(*layout: str, **published: bytes) -> Dataset:
    """A dataset of one layout, with the published content of some of its files; `_` stands for a dot."""
    originals = tuple(
        Original(name.replace("_", "."), "", len(content), hashlib.sha256(content).hexdigest())
        for name, content in published.items()
    )
    return Dataset("a", "text", "", "", "", (layout,), originals)


def packed(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", os.urandom(50_000))
    return path.read_bytes()


def test_a_dataset_is_here_as_published(tmp_path: Path) -> None:
    assert stored_dataset(Dataset("a", "text", "", "", ""), tmp_path) == StoredDataset("always")
    text = dataset("a.txt", "b.txt", a_txt=b"hello")
    assert stored_dataset(text, tmp_path) == StoredDataset("no")
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "b.txt").write_bytes(b"anything")
    assert stored_dataset(text, tmp_path) == StoredDataset("yes", tmp_path / "a.txt")
    (tmp_path / "folder").mkdir()
    assert stored_dataset(dataset("folder/"), tmp_path) == StoredDataset("yes", tmp_path / "folder/")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"hell", "a.txt has only 4 of the 5 bytes of the published file"),
        (b"hello!", "a.txt has 6 bytes, the published file 5"),
        (b"hullo", "a.txt has another SHA-256 than the published file"),
    ],
)
def test_a_file_that_is_not_the_published_one_differs(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    stored = stored_dataset(dataset("a.txt", a_txt=b"hello"), tmp_path)
    assert stored == StoredDataset("differs", tmp_path / "a.txt", problem)


def test_an_archive_that_was_cut_off_is_damaged_with_or_without_a_checksum(tmp_path: Path) -> None:
    content = packed(tmp_path / "a.npz")
    compressed = gzip.compress(content)
    for name, whole in (("a.npz", content), ("a.gz", compressed)):
        key = name.replace(".", "_")
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0xFF
        for published in ({}, {key: whole}, {key: b"another"}):
            (tmp_path / name).write_bytes(whole)
            expected = "differs" if published.get(key) == b"another" else "yes"
            assert stored_dataset(dataset(name, **published), tmp_path).here == expected
            for broken in (whole[:-1000], whole[:10], b"", bytes(flipped)):
                (tmp_path / name).write_bytes(broken)
                stored = stored_dataset(dataset(name, **published), tmp_path)
                problem = f"{name} is damaged or was cut off" if broken else f"{name} is empty"
                assert stored == StoredDataset("damaged", tmp_path / name, problem)


def test_the_second_file_of_a_dataset_is_looked_at_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "b.txt").touch()
    stored = stored_dataset(dataset("a.txt", "b.txt", a_txt=b"hello"), tmp_path)
    assert stored == StoredDataset("damaged", tmp_path / "a.txt", "b.txt is empty")


def test_a_huge_file_is_compared_by_its_size_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "MOST_BYTES", 4)
    (tmp_path / "a.txt").write_bytes(b"hullo")
    assert stored_dataset(dataset("a.txt", a_txt=b"hello"), tmp_path).here == "yes"
    (tmp_path / "a.txt").write_bytes(b"hell")
    assert stored_dataset(dataset("a.txt", a_txt=b"hello"), tmp_path).here == "differs"
