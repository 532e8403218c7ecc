"""Reviews from folders with a text file for each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.tasks.sentiment.conftest import Read
from tests.tasks.sentiment.jobs import write_reviews
from worker.tasks.sentiment.sources import open_reviews


def test_folders_of_text_files_are_read(tmp_path: Path, read: Callable[..., Read]) -> None:
    texts = [
        ("pos/b.txt", b"good film"),
        ("neg/a.txt", "mauvais été".encode("cp1252")),
        ("neg/b.txt", b" \n"),
    ]
    write_reviews(tmp_path / "own", [*texts, ("neg/c.md", b"no text file"), ("pos/deep/d.txt", b"too deep")])
    reviews, notes = read(tmp_path / "own")
    assert reviews == [("mauvais été", 0), ("good film", 1)]
    assert notes == [
        "own: 1 file is not UTF-8; read as Windows-1252.",
        "own: skipped 1 review without text.",
    ]


def test_the_test_part_of_folders_is_kept_apart(tmp_path: Path, folders: Settings) -> None:
    parts = [f"{part}/{label}/1.txt" for part in ("train", "test") for label in ("pos", "neg")]
    write_reviews(tmp_path / "own", [(name, name.encode()) for name in parts])
    source = open_reviews(str(tmp_path / "own"), folders, labelled=True)
    assert {review.text: review.test for review in source.read(lambda _: None)} == {
        name: name.startswith("test") for name in parts
    }


def test_a_folders_checksum_changes_with_names_and_contents(tmp_path: Path, folders: Settings) -> None:
    def checksum() -> str:
        return open_reviews(str(tmp_path / "own"), folders, labelled=True).sha256

    write_reviews(tmp_path / "own", [("pos/1.txt", b"good"), ("neg/1.txt", b"bad")])
    found = {checksum()}
    (tmp_path / "own/pos/1.txt").write_bytes(b"goof")
    found.add(checksum())
    (tmp_path / "own/pos/1.txt").rename(tmp_path / "own/pos/2.txt")
    found.add(checksum())
    assert len(found) == 3
    assert checksum() in found


def test_links_in_folders_are_not_followed(tmp_path: Path, read: Callable[..., Read]) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    write_reviews(tmp_path / "own", [("pos/1.txt", b"good"), ("neg/1.txt", b"bad")])
    (tmp_path / "own/pos/2.txt").symlink_to(tmp_path / "secret.txt")
    assert read(tmp_path / "own")[0] == [("bad", 0), ("good", 1)]
    (tmp_path / "own/neg").rename(tmp_path / "elsewhere")
    (tmp_path / "own/neg").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidData, match=r"own: expected folders pos/ and neg/, got no folder neg/"):
        read(tmp_path / "own")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            [("pos/1.txt", b"good"), ("neg/1.md", b"bad")],
            "neg: expected a .txt file for each review, got none",
        ),
        (
            [("pos/1.txt", b"x" * 1_001), ("neg/1.txt", b"bad")],
            "expected a review of at most 1,000 bytes, got a larger file",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_gets_one_sentence(
    tmp_path: Path,
    read: Callable[..., Read],
    monkeypatch: pytest.MonkeyPatch,
    files: list[tuple[str, bytes]],
    sentence: str,
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.folders.LONGEST_REVIEW", 1_000)
    write_reviews(tmp_path / "own", files)
    with pytest.raises(InvalidData, match=sentence):
        read(tmp_path / "own")
