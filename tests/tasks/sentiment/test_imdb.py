"""The IMDB reviews as they are published, and archives that only look like them."""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from tests.tasks.sentiment.jobs import Evil
from worker.tasks.sentiment import imdb
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, Review
from worker.tasks.sentiment.sources import open_reviews

Member = tuple[str, bytes] | tarfile.TarInfo


def member(name: str, kind: bytes, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def archive(path: Path, members: Iterable[Member]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for each in members:
            if isinstance(each, tarfile.TarInfo):
                tar.addfile(each)
            else:
                info = tarfile.TarInfo(each[0])
                info.size = len(each[1])
                tar.addfile(info, io.BytesIO(each[1]))
    return path


HONEST: list[Member] = [
    ("aclImdb/README", b"read me"),
    ("aclImdb/train/pos/0_9.txt", b"good film"),
    ("aclImdb/train/neg/0_1.txt", b"bad film"),
    ("aclImdb/train/unsup/0_0.txt", b"who knows"),
    ("aclImdb/test/pos/0_10.txt", "très good".encode("cp1252")),
    ("./aclImdb/test/neg/0_2.txt", b"very bad"),
]


def test_the_archive_is_read_without_being_unpacked(folders: Settings) -> None:
    archive(folders.data_dir / "aclImdb.tar.gz", HONEST)
    notes: list[str] = []
    source = open_reviews("imdb", folders, labelled=True)
    assert list(source.read(notes.append)) == [
        Review("good film", 1, group=0),
        Review("bad film", 0, group=0),
        Review("très good", 1, test=True),
        Review("very bad", 0, test=True),
    ]
    assert notes == ["1 review is not UTF-8; read as Windows-1252."]
    assert [path.name for path in folders.data_dir.iterdir()] == ["aclImdb.tar.gz"]


HOSTILE_ARCHIVES: list[tuple[Member, str]] = [
    (
        ("/etc/cron.d/owned", b"x"),
        "expected names inside the archive's folder, got .*, which leads out of it",
    ),
    (
        ("aclImdb/train/pos/../../../../owned.txt", b"x"),
        "expected names inside the archive's folder, got .*, which leads out of it",
    ),
    (
        ("../aclImdb/train/pos/1.txt", b"x"),
        "expected names inside the archive's folder, got .*, which leads out of it",
    ),
    (
        member("aclImdb/train/pos/1.txt", tarfile.SYMTYPE, "/etc/passwd"),
        "expected no links, as in the original, got the link",
    ),
    (
        member("aclImdb/train/pos/1.txt", tarfile.LNKTYPE, "../../secret"),
        "expected no links, as in the original, got the link",
    ),
    (member("aclImdb/other", tarfile.SYMTYPE, "/"), "expected no links, as in the original, got the link"),
    (
        ("aclImdb/train/pos/1.txt", b"x" * (LONGEST_REVIEW + 1)),
        "expected reviews of at most 10,000,000 bytes, got .*, which has 10,000,001 bytes",
    ),
]


@pytest.mark.parametrize(("hostile", "sentence"), HOSTILE_ARCHIVES)
def test_a_hostile_archive_is_refused(folders: Settings, hostile: Member, sentence: str) -> None:
    archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, hostile])
    with pytest.raises(InvalidData, match=sentence):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


def test_an_archive_that_never_ends_is_refused(folders: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imdb, "LARGEST_ARCHIVE", 1_000_000)
    archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, ("aclImdb/zeros", bytes(2_000_000)), HONEST[1]])
    with pytest.raises(
        InvalidData, match="expected at most 1,000,000 bytes after decompression, got a larger archive"
    ):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


def test_an_archive_with_a_header_as_large_as_the_memory_is_refused(folders: Settings) -> None:
    header = member("long", tarfile.GNUTYPE_LONGNAME, size=8_000_000_000).tobuf()
    folders.data_dir.mkdir()
    (folders.data_dir / "aclImdb.tar.gz").write_bytes(gzip.compress(header + bytes(10_240)))
    with pytest.raises(InvalidData, match=r"expected headers of at most [0-9,]+ bytes, got a larger one"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no archive", mtime=0), b"\x1f\x8b\x08" + bytes(50)]
)
def test_a_damaged_archive_gets_one_sentence(folders: Settings, content: bytes) -> None:
    folders.data_dir.mkdir()
    (folders.data_dir / "aclImdb.tar.gz").write_bytes(content)
    with pytest.raises(
        InvalidData, match=r"expected a gzipped tar archive, got|expected at least one review, got none"
    ):
        load_reviews(open_reviews("imdb", folders, labelled=True), Recipe(10, 10), folders.data_dir)


def test_an_archive_that_was_cut_off_gets_one_sentence(folders: Settings) -> None:
    path = archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, ("aclImdb/x", os.urandom(100_000))])
    path.write_bytes(path.read_bytes()[:-50_000])
    with pytest.raises(InvalidData, match="expected a gzipped tar archive, got a damaged or different file"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


def test_a_keras_file_that_is_not_the_published_one_is_not_opened(tmp_path: Path, folders: Settings) -> None:
    folders.data_dir.mkdir()
    np.savez(folders.data_dir / "imdb.npz", x_train=np.array([Evil()], object))
    (folders.data_dir / "imdb_word_index.json").write_text("{}")
    with pytest.raises(InvalidData, match="got another one, which is not opened since it may hold code"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))
    assert not (tmp_path / "owned").exists()


def test_the_keras_file_is_read_as_words(folders: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a file of its form: the published one's checksum stands in the catalogue."""
    import dataclasses
    import hashlib

    folders.data_dir.mkdir()
    path, index = folders.data_dir / "imdb.npz", folders.data_dir / "imdb_word_index.json"
    rows = np.empty(1, object)
    rows[0] = [2, 1]
    np.savez(path, x_train=rows, y_train=np.array([1]), x_test=rows, y_test=np.array([0]))
    index.write_text(json.dumps({"film": 1, "good": 2}))
    pinned = dataclasses.replace(imdb.KERAS_IMDB, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(imdb, "KERAS_IMDB", pinned)
    digest = hashlib.md5(index.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(imdb, "KERAS_IMDB_WORD_INDEX_MD5", digest)
    assert list(open_reviews("imdb", folders, labelled=True).read(lambda _: None)) == [
        Review("good film", 1),
        Review("good film", 0, test=True),
    ]


@pytest.mark.quality
def test_the_real_archive_has_fifty_thousand_reviews() -> None:
    data = os.environ.get("QUARTET_TEST_DATA")
    if not data or not (Path(data) / "aclImdb.tar.gz").exists():
        pytest.skip("QUARTET_TEST_DATA names no folder with aclImdb.tar.gz")
    source = open_reviews("imdb", read_settings(data_dir=Path(data)), labelled=True)
    counts = np.zeros((2, 2), int)
    for review in source.read(lambda _: None):
        counts[int(review.test), int(review.label or 0)] += 1
    assert counts.tolist() == [[12_500, 12_500], [12_500, 12_500]]


def test_every_refusal_of_an_archive_names_the_archive(folders: Settings) -> None:
    path = archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, ("/etc/cron.d/owned", b"x")])
    with pytest.raises(InvalidData) as caught:
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))
    assert caught.value.field == str(path)
