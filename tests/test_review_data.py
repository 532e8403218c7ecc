"""Reviews from anyone's files, as numbers; nothing here needs TensorFlow."""

import gzip
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from jobs.datasets import DATASETS
from jobs.errors import Cancelled, InvalidData
from jobs.settings import Settings, read_settings
from worker.data import review_archives, review_files, review_sets, toy_reviews
from worker.data.review_sets import Recipe, ReviewSet, load_reviews, test_part, validation_part
from worker.data.review_sources import open_reviews
from worker.data.reviews import LONGEST_REVIEW, Review, ReviewSource
from worker.data.tokens import (
    ALIGNMENT,
    MOST_DISTINCT_WORDS,
    RESERVED,
    UNKNOWN,
    TokenCollector,
    Tokens,
    Vocabulary,
    choose_vocabulary,
    words_of,
)

test_part.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test by its name


@pytest.fixture
def folders(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data")


def read(
    path: Path, folders: Settings, *, labelled: bool = True
) -> tuple[list[tuple[str, int | None]], list[str]]:
    """What a file or folder gives, and what is said about it."""
    notes: list[str] = []
    source = open_reviews(str(path), folders, labelled=labelled)
    return [(review.text, review.label) for review in source.read(notes.append)], notes


TWO = [("good film", 1), ("bad film", 0)]

READABLE: list[tuple[str, str, bytes, list[tuple[str, int]], list[str]]] = [
    ("plain", "a.csv", b"text,label\ngood film,pos\nbad film,neg\n", TWO, []),
    (
        "other names, order, case",
        "a.csv",
        b"Sentiment,id,REVIEW\npositive,7,good film\nNegative,8,bad film\n",
        TWO,
        [],
    ),
    ("numbers", "a.csv", b"text,label\ngood film,1\nbad film,0\n", TWO, []),
    ("pandas' numbers", "a.csv", b"text,label\ngood film,1.0\nbad film,0.0\n", TWO, []),
    ("booleans", "a.csv", b"text,label\ngood film,True\nbad film,False\n", TWO, []),
    ("spaces around labels", "a.csv", b"text,label\ngood film, pos \nbad film,neg \n", TWO, []),
    ("byte order mark", "a.csv", b"\xef\xbb\xbftext,label\ngood film,pos\nbad film,neg\n", TWO, []),
    ("utf-16", "a.csv", "text,label\ngood film,pos\nbad film,neg\n".encode("utf-16"), TWO, []),
    ("semicolons", "a.csv", b"text;label\ngood film;pos\nbad film;neg\n", TWO, []),
    ("tabs in a csv", "a.csv", b"text\tlabel\ngood film\tpos\nbad film\tneg\n", TWO, []),
    ("empty lines", "a.csv", b"\n\ntext,label\n\ngood film,pos\n\n\nbad film,neg\n\n", TWO, []),
    ("no final newline", "a.csv", b"text,label\ngood film,pos\nbad film,neg", TWO, []),
    ("Windows' lines", "a.csv", b"text,label\r\ngood film,pos\r\nbad film,neg\r\n", TWO, []),
    (
        "quotes, commas and newlines in a field",
        "a.csv",
        b'text,label\n"good, ""really""\ngood",pos\n"bad\r\n",neg\n',
        [('good, "really"\ngood', 1), ("bad\r\n", 0)],
        [],
    ),
    (
        "texts of nothing",
        "a.csv",
        b'text,label\ngood film,pos\n"  ",pos\n"",neg\nbad film,neg\n',
        TWO,
        ["a.csv: 2 reviews without text left out"],
    ),
    (
        "Windows-1252",
        "a.csv",
        "text,label\ncafé,pos\n“bad”,neg\n".encode("cp1252"),
        [("café", 1), ("“bad”", 0)],
        ["a.csv is not UTF-8; it was read as Windows-1252"],
    ),
    ("tsv", "a.tsv", b"label\ttext\npos\tgood film\nneg\tbad film\n", TWO, []),
    (
        "tsv with quoted tabs",
        "a.tsv",
        b'label\ttext\npos\t"good\tfilm"\nneg\tbad\n',
        [("good\tfilm", 1), ("bad", 0)],
        [],
    ),
    (
        "tsv that knows no quotes",
        "a.tsv",
        b'label\ttext\npos\t"good film\nneg\tbad "film"\n',
        [('"good film', 1), ('bad "film"', 0)],
        ["a.tsv: its quotes are read as part of the text"],
    ),
    (
        "jsonl",
        "a.jsonl",
        b'{"text": "good film", "label": 1}\n\n{"review": "bad film", "sentiment": "neg"}\n',
        TWO,
        [],
    ),
    (
        "jsonl with booleans",
        "a.jsonl",
        b'{"text": "good film", "label": true}\n{"text": "bad film", "label": false}\n',
        TWO,
        [],
    ),
    ("half a pair", "a.jsonl", b'{"text": "good \\ud83d", "label": 1}\n', [("good �", 1)], []),
]


@pytest.mark.parametrize(
    ("name", "content", "reviews", "notes"), [row[1:] for row in READABLE], ids=[r[0] for r in READABLE]
)
def test_a_file_is_read(
    tmp_path: Path,
    folders: Settings,
    name: str,
    content: bytes,
    reviews: list[tuple[str, int]],
    notes: list[str],
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name, folders) == (reviews, notes)


NO_LABEL_NEEDED = [
    ("a.csv", b"text\ngood film\nbad film\n"),
    ("a.csv", b"id,review,label\n1,good film,whatever\n2,bad film,\n"),
    ("a.jsonl", b'{"text": "good film"}\n{"text": "bad film", "label": []}\n'),
    ("a.txt", b"good film\n\n  \nbad film\n"),
]


@pytest.mark.parametrize(("name", "content"), NO_LABEL_NEEDED)
def test_what_is_to_be_labelled_needs_no_label(
    tmp_path: Path, folders: Settings, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name, folders, labelled=False)[0] == [("good film", None), ("bad film", None)]


UNREADABLE: list[tuple[str, bytes, str]] = [
    ("a.csv", b"", "is empty; allowed: a file with reviews"),
    (
        "a.csv",
        b"text,stars\ngood,5\n",
        "line 1: names no columns text or review and label or sentiment (it has: 'text', 'stars')",
    ),
    (
        "a.csv",
        b"good film,pos\n",
        "line 1: names no columns text or review and label or sentiment (it has: 'good film', 'pos')",
    ),
    (
        "a.csv",
        b"text,label\ngood,pos\nbad,negativ\n",
        "line 3: label 'negativ' is unknown; allowed: pos, neg, positive, negative, 1, 0, true, false",
    ),
    ("a.csv", b"text,label\ngood,\n", "line 2: label '' is unknown;"),
    (
        "a.csv",
        b"text,label\ngood, really,pos\n",
        "line 2: has 3 columns where the first line has 2; a text with the separator in it needs quotes around it",
    ),
    ("a.csv", b"text,label\ngood\n", "line 2: has 1 column where the first line has 2"),
    ("a.csv", b'text,label\n"good,pos\nbad,neg\n', "a quote is opened and never closed"),
    ("a.csv", b'text,label\n"good"ly,pos\n', "line 2: after a closing quote the next column must follow"),
    (
        "a.csv",
        b"text,label\ngood,pos\x00\n",
        "is no text that can be read; allowed: UTF-8, UTF-16 with a byte order mark, Windows-1252",
    ),
    ("a.csv", "text,label\ngood,pos\n".encode("utf-16-le"), "is no text that can be read"),
    ("a.csv", b"text,label\n\x81,pos\n", "is no text that can be read"),
    ("a.csv", b"\xff\xfet\x00e\x00x", "is no text that can be read"),
    (
        "a.jsonl",
        b'{"text": "good", "label": 1}\n{"text": "bad", \n',
        'line 2: is not JSON; allowed: {"text": "…", "label": "pos"}',
    ),
    ("a.jsonl", b"[1, 2]\n", "line 1: is not an object"),
    ("a.jsonl", b'{"text": "good"}\n', "line 1: has no label or sentiment (it has: 'text')"),
    ("a.jsonl", b'{"text": 5, "label": 1}\n', "line 1: its text is a int, not a string"),
    ("a.jsonl", b'{"text": "good", "label": null}\n', "line 1: label 'None' is unknown"),
    ("a.jsonl", b"[" * 100_000 + b"\n", "line 1: is not JSON"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), UNREADABLE)
def test_what_cannot_be_read_gets_one_sentence(
    tmp_path: Path, folders: Settings, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidData) as caught:
        read(tmp_path / name, folders)
    assert sentence in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_without_an_end_does_not_fill_the_memory(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_files, "LONGEST_REVIEW", 1_000)
    for name in ("a.csv", "a.jsonl", "a.txt"):
        (tmp_path / name).write_bytes(b"text,label\n" + b'"' + b"a" * 5_000)
        with pytest.raises(InvalidData, match=r"longer than 1,000 characters|line 1: is not JSON"):
            read(tmp_path / name, folders, labelled=name == "a.csv")


def test_the_limit_on_fields_of_the_whole_process_is_as_it_was(tmp_path: Path, folders: Settings) -> None:
    import csv

    before = csv.field_size_limit()
    (tmp_path / "a.csv").write_text(f'text,label\n"{"good " * 50_000}",pos\n')
    assert len(read(tmp_path / "a.csv", folders)[0][0][0]) == 250_000
    assert csv.field_size_limit() == before


def test_reading_stops_when_asked_to(folders: Settings) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled("asked")

    reviews = open_reviews("toy-reviews", folders, labelled=True, check_stop=check).read(lambda _: None)
    next(reviews)
    stop.set()
    with pytest.raises(Cancelled):
        list(reviews)


# --- folders --------------------------------------------------------------------------


def write_reviews(root: Path, texts: Iterable[tuple[str, bytes]]) -> None:
    for name, content in texts:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def test_folders_of_text_files_are_read(tmp_path: Path, folders: Settings) -> None:
    texts = [
        ("pos/b.txt", b"good film"),
        ("neg/a.txt", "mauvais été".encode("cp1252")),
        ("neg/b.txt", b" \n"),
    ]
    write_reviews(tmp_path / "own", [*texts, ("neg/c.md", b"no text file"), ("pos/deep/d.txt", b"too deep")])
    reviews, notes = read(tmp_path / "own", folders)
    assert reviews == [("mauvais été", 0), ("good film", 1)]
    assert notes == [
        "1 file in own not being UTF-8, Windows-1252 was assumed",
        "own: 1 review without text left out",
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


def test_links_in_folders_are_not_followed(tmp_path: Path, folders: Settings) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    write_reviews(tmp_path / "own", [("pos/1.txt", b"good"), ("neg/1.txt", b"bad")])
    (tmp_path / "own/pos/2.txt").symlink_to(tmp_path / "secret.txt")
    assert read(tmp_path / "own", folders)[0] == [("bad", 0), ("good", 1)]
    (tmp_path / "own/neg").rename(tmp_path / "elsewhere")
    (tmp_path / "own/neg").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidData, match=r"own has no folder neg/; it needs pos/ and neg/"):
        read(tmp_path / "own", folders)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("pos/1.txt", b"good"), ("neg/1.md", b"bad")], "neg holds no .txt file; each review is one"),
        ([("pos/1.txt", b"x" * 1_001), ("neg/1.txt", b"bad")], "is larger than 1,000 bytes; it is no review"),
    ],
)
def test_a_folder_that_cannot_be_used_gets_one_sentence(
    tmp_path: Path,
    folders: Settings,
    monkeypatch: pytest.MonkeyPatch,
    files: list[tuple[str, bytes]],
    sentence: str,
) -> None:
    monkeypatch.setattr("worker.data.review_folders.LONGEST_REVIEW", 1_000)
    write_reviews(tmp_path / "own", files)
    with pytest.raises(InvalidData, match=sentence):
        read(tmp_path / "own", folders)


# --- the published archive ------------------------------------------------------------

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
        Review("good film", 1),
        Review("bad film", 0),
        Review("très good", 1, test=True),
        Review("very bad", 0, test=True),
    ]
    assert notes == ["1 review not being UTF-8, Windows-1252 was assumed"]
    assert [path.name for path in folders.data_dir.iterdir()] == ["aclImdb.tar.gz"]


HOSTILE_ARCHIVES: list[tuple[Member, str]] = [
    (("/etc/cron.d/owned", b"x"), "a name that leads out of its folder"),
    (("aclImdb/train/pos/../../../../owned.txt", b"x"), "a name that leads out of its folder"),
    (("../aclImdb/train/pos/1.txt", b"x"), "a name that leads out of its folder"),
    (member("aclImdb/train/pos/1.txt", tarfile.SYMTYPE, "/etc/passwd"), "a link; the original has none"),
    (member("aclImdb/train/pos/1.txt", tarfile.LNKTYPE, "../../secret"), "a link; the original has none"),
    (member("aclImdb/other", tarfile.SYMTYPE, "/"), "a link; the original has none"),
    (("aclImdb/train/pos/1.txt", b"x" * (LONGEST_REVIEW + 1)), "which is larger than 10,000,000 bytes"),
]


@pytest.mark.parametrize(("hostile", "sentence"), HOSTILE_ARCHIVES)
def test_a_hostile_archive_is_refused(folders: Settings, hostile: Member, sentence: str) -> None:
    archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, hostile])
    with pytest.raises(InvalidData, match=sentence):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


def test_an_archive_that_never_ends_is_refused(folders: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_archives, "LARGEST_ARCHIVE", 1_000_000)
    archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, ("aclImdb/zeros", bytes(2_000_000)), HONEST[1]])
    with pytest.raises(InvalidData, match="holds more than 1,000,000 bytes"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


def test_an_archive_with_a_header_as_large_as_the_memory_is_refused(folders: Settings) -> None:
    header = member("long", tarfile.GNUTYPE_LONGNAME, size=8_000_000_000).tobuf()
    folders.data_dir.mkdir()
    (folders.data_dir / "aclImdb.tar.gz").write_bytes(gzip.compress(header + bytes(10_240)))
    with pytest.raises(InvalidData, match="holds a header that is larger than"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no archive"), b"\x1f\x8b\x08" + bytes(50)]
)
def test_a_damaged_archive_gets_one_sentence(folders: Settings, content: bytes) -> None:
    folders.data_dir.mkdir()
    (folders.data_dir / "aclImdb.tar.gz").write_bytes(content)
    with pytest.raises(InvalidData, match=r"is damaged or no gzipped tar archive|holds no reviews"):
        load_reviews(open_reviews("imdb", folders, labelled=True), Recipe(10, 10), folders.data_dir)


def test_an_archive_that_was_cut_off_gets_one_sentence(folders: Settings) -> None:
    path = archive(folders.data_dir / "aclImdb.tar.gz", [*HONEST, ("aclImdb/x", os.urandom(100_000))])
    path.write_bytes(path.read_bytes()[:-50_000])
    with pytest.raises(InvalidData, match="is damaged or no gzipped tar archive"):
        list(open_reviews("imdb", folders, labelled=True).read(lambda _: None))


class Evil:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (os.system, ("touch owned",))


def test_a_keras_file_that_is_not_the_published_one_is_not_opened(tmp_path: Path, folders: Settings) -> None:
    folders.data_dir.mkdir()
    np.savez(folders.data_dir / "imdb.npz", x_train=np.array([Evil()], object))
    (folders.data_dir / "imdb_word_index.json").write_text("{}")
    with pytest.raises(InvalidData, match="another one is not opened, since it may hold code"):
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
    pinned = dataclasses.replace(
        review_archives.KERAS_IMDB, sha256=hashlib.sha256(path.read_bytes()).hexdigest()
    )
    monkeypatch.setattr(review_archives, "KERAS_IMDB", pinned)
    digest = hashlib.md5(index.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(review_archives, "KERAS_IMDB_WORD_INDEX_MD5", digest)
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


# --- reviews that are made here -------------------------------------------------------


def test_the_toy_reviews_are_always_the_same_and_say_what_they_are() -> None:
    notes: list[str] = []
    reviews = list(toy_reviews.read_toy_reviews(notes.append))
    assert notes == ["These reviews were made by a grammar; they are no evidence about real text"]
    assert len({review.text for review in reviews}) == len(reviews) == 4_000
    assert sum(review.test for review in reviews) == 1_000
    assert sum(review.label or 0 for review in reviews) == 2_000
    assert toy_reviews.sha256() == "72aa0db6fa28ac391c965713c38ce235a151a91d4e11090ae4ce645192eff654"
    assert DATASETS["toy-reviews"].offline


# --- words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's GOOD, isn't it?", ["it's", "good", "isn't", "it"]),
        ("don’t", ["don't"]),
        ("'quoted' rock'n'roll '", ["quoted", "rock'n'roll"]),
        ("one<br /><br />two<br>three", ["one", "two", "three"]),
        ("10/10 for 007_s", ["10", "10", "for", "007", "s"]),
        ("Ça va, été", ["ça", "va", "été"]),
        ("e\u0301te\u0301", ["été"]),
        ("фильм хороший", ["фильм", "хороший"]),
        ("<script>alert(1)</script>", ["script", "alert", "1", "script"]),
        ("!!! ... 🎻", []),
        ("", []),
    ],
)
def test_words_are_found(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_the_most_frequent_words_of_the_training_reviews_are_known() -> None:
    collector = TokenCollector(length=10).add_all(["a a a b b c", "b b a d", "d d d d d e e"])
    tokens = collector.tokens()
    vocabulary = choose_vocabulary(tokens, collector.words, np.array([True, True, False]), 10)
    assert vocabulary.words == ("a", "b")  # c and d appear once in what is counted
    assert tokens.of(0).tolist() == [2, 2, 2, 3, 3, UNKNOWN]
    assert tokens.of(2).tolist() == [UNKNOWN] * 7
    again = TokenCollector(10, vocabulary).add_all(["a a a b b c", "b b a d", "d d d d d e e"]).tokens()
    assert again.numbers.tolist() == tokens.numbers.tolist()


def test_the_last_words_of_a_long_review_are_kept_and_none_become_one_unknown() -> None:
    tokens = TokenCollector(3, Vocabulary(("a", "b"))).add_all(["b b b a a", "", "b"]).tokens()
    assert [tokens.of(place).tolist() for place in range(3)] == [[3, 2, 2], [UNKNOWN], [3]]
    assert tokens.lengths.tolist() == [5, 0, 1]
    some = tokens.taken(np.array([2, 0]))
    assert [some.of(place).tolist() for place in range(2)] == [[3], [3, 2, 2]]
    assert some.lengths.tolist() == [1, 5]
    assert Tokens.joined([tokens.of(0), tokens.of(2)]).of(1).tolist() == [3]


def test_words_beyond_a_bound_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_DISTINCT_WORDS == 2_000_000
    monkeypatch.setattr("worker.data.tokens.MOST_DISTINCT_WORDS", 2)
    assert TokenCollector(9).add_all(["a b c a d"]).tokens().numbers.tolist() == [2, 3, UNKNOWN, 2, UNKNOWN]


def test_a_vocabulary_reads_back_and_one_of_another_tokeniser_does_not(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    Vocabulary(("the", "été")).write(path)
    assert Vocabulary.read(path) == Vocabulary(("the", "été"))
    assert Vocabulary.read(path).numbers == 2 + RESERVED
    assert Vocabulary.read(path).shown(3) == "été"
    assert Vocabulary.read(path).shown(UNKNOWN) == "(unknown)"
    path.write_text(json.dumps({"tokeniser": 99, "words": []}))
    with pytest.raises(
        InvalidData, match="was made by tokeniser 99 and this is tokeniser 1; train the model again"
    ):
        Vocabulary.read(path)
    for damaged in ("", "{}", '{"tokeniser": 1}', '{"tokeniser": 1, "words": 5}'):
        path.write_text(damaged)
        with pytest.raises(InvalidData, match="is no vocabulary"):
            Vocabulary.read(path)


# --- parts and the cache --------------------------------------------------------------


def csv_of(path: Path, count: int, start: int = 0) -> Path:
    rows = [f"review number {number} film,{number % 2}" for number in range(start, count)]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def loaded(path: Path, folders: Settings, recipe: Recipe | None = None) -> ReviewSet:
    review_sets._load.cache_clear()
    source = open_reviews(str(path), folders, labelled=True)
    return load_reviews(source, recipe or Recipe(8, 100), folders.data_dir)


def test_parts_hold_a_fifth_and_a_tenth_of_each_label_and_never_a_review_twice(
    tmp_path: Path, folders: Settings
) -> None:
    reviews = loaded(csv_of(tmp_path / "a.csv", 2_000), folders)
    test, validation = test_part(reviews), validation_part(reviews, seed=0)
    assert not (test & validation).any()
    for label in (0, 1):
        assert int((test & (reviews.labels == label)).sum()) == 200
        assert int((validation & (reviews.labels == label)).sum()) == 80
    assert (test_part(reviews) == test).all()
    assert (validation_part(reviews, seed=0) == validation).all()
    assert (validation_part(reviews, seed=1) != validation).any()


def test_equal_texts_lie_on_one_side_and_the_order_of_lines_is_no_matter(
    tmp_path: Path, folders: Settings
) -> None:
    lines = [f"review {number // 3} film,{number // 3 % 2}" for number in range(3_000)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    (tmp_path / "b.csv").write_text("\n".join(["text,label", *reversed(lines)]))
    forward, backward = loaded(tmp_path / "a.csv", folders), loaded(tmp_path / "b.csv", folders)
    test = test_part(forward)
    assert all(len(set(test[first : first + 3].tolist())) == 1 for first in range(0, 3_000, 3))
    assert (test_part(backward)[::-1] == test).all()


def test_tokenised_reviews_are_cached_and_made_again_when_what_they_depend_on_changes(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = review_sets._make

    def counted_make(source: ReviewSource, recipe: Recipe) -> ReviewSet:
        made.append(source.name)
        return make(source, recipe)

    monkeypatch.setattr(review_sets, "_make", counted_make)
    path = csv_of(tmp_path / "a.csv", 50)
    first = loaded(path, folders)
    again = loaded(path, folders)
    assert len(made) == 1
    assert again.vocabulary == first.vocabulary
    assert (again.tokens.numbers == first.tokens.numbers).all()
    assert first.tokens.numbers.ctypes.data % ALIGNMENT == again.tokens.numbers.ctypes.data % ALIGNMENT == 0
    assert (again.keys == first.keys).all()
    loaded(path, folders, Recipe(7, 100))
    loaded(path, folders, Recipe(8, 99))
    loaded(path, folders, Recipe(8, Vocabulary(("film",))))
    csv_of(path, 51)
    loaded(path, folders)
    monkeypatch.setattr(review_sets, "TOKENISER", 2)
    loaded(path, folders)
    assert len(made) == 6
    assert len(list((folders.data_dir / "tokens").iterdir())) == 6


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"x" * 1_000])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, folders: Settings, damage: bytes) -> None:
    path = csv_of(tmp_path / "a.csv", 50)
    first = loaded(path, folders)
    (cache,) = (folders.data_dir / "tokens").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damage)
    assert (loaded(path, folders).tokens.numbers == first.tokens.numbers).all()
    assert cache.read_bytes() == whole
    cache.write_bytes(whole[: len(whole) // 2])
    assert (loaded(path, folders).tokens.numbers == first.tokens.numbers).all()


def test_a_cache_with_pickles_is_not_opened(tmp_path: Path, folders: Settings) -> None:
    path = csv_of(tmp_path / "a.csv", 50)
    loaded(path, folders)
    (cache,) = (folders.data_dir / "tokens").iterdir()
    np.savez(cache, numbers=np.array([Evil()], object))
    loaded(path, folders)
    assert not (tmp_path / "owned").exists()


def test_old_caches_go_and_a_folder_that_cannot_be_written_costs_nothing(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_sets, "CACHES_KEPT", 2)
    for count in range(30, 35):
        loaded(csv_of(tmp_path / "a.csv", count), folders)
    assert len(list((folders.data_dir / "tokens").iterdir())) == 2
    (tmp_path / "file").write_text("in the way")
    blocked = read_settings(data_dir=tmp_path / "file")
    assert len(loaded(tmp_path / "a.csv", blocked).labels) == 34


def test_a_file_without_reviews_gets_one_sentence(tmp_path: Path, folders: Settings) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(InvalidData, match="holds no reviews"):
        loaded(tmp_path / "a.csv", folders)
