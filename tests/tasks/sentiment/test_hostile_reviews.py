"""Files with reviews that are damaged or made to exhaust a machine cost a sentence, in time that grows linearly."""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from jobs.errors import DamagedFolder, InvalidData, QuartetError
from jobs.settings import Settings, read_settings
from jobs.store.job_folder import JobFolder
from tests.tasks.hostile_files import (
    Change,
    assert_linear,
    at_most,
    changes,
    damaged,
    mutations,
    read_or_refused,
)
from worker.tasks.sentiment import folders, imdb
from worker.tasks.sentiment.artifacts import VALIDATION, validation_scores
from worker.tasks.sentiment.datasets import Recipe, ReviewSet, load_reviews
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.review_table import LONGEST_ROW, MOST_COLUMNS
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, excerpt
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokeniser import words_of
from worker.tasks.sentiment.tokens import LONGEST_WORD, TokenCollector
from worker.tasks.sentiment.user_files import ReviewFile
from worker.tasks.sentiment.vocabulary import UNKNOWN, Vocabulary

PAIRS = [("good film", "pos"), ('a "bad", film', "neg"), ("so\nso", "1"), ("ünïcode ✓", "0")] * 3
VALID = {
    "r.csv": (
        "text,label\n" + "".join('"{}",{}\n'.format(t.replace('"', '""'), c) for t, c in PAIRS)
    ).encode(),
    "r.tsv": ("text\tlabel\n" + "".join(f"{' '.join(t.split())}\t{c}\n" for t, c in PAIRS)).encode(),
    "r.jsonl": "".join(json.dumps({"text": t, "label": c}) + "\n" for t, c in PAIRS).encode(),
    "r.txt": "".join(f"{' '.join(t.split())}\n" for t, _ in PAIRS).encode(),
    "r.json": json.dumps([{"text": t, "label": c} for t, c in PAIRS]).encode(),
    "prefixed.txt": "".join(f"__label__{c} {' '.join(t.split())}\n" for t, c in PAIRS).encode(),
    "wide.csv": ("text,label\n" + "good,pos\n" * 9).encode("utf-16"),
}


def read(path: Path) -> int:
    """How many reviews there are, as words."""
    labelled = path.suffix != ".txt" or path.name.startswith("prefix")
    return sum(
        len(words_of(review.text))
        for review in ReviewFile.inspect(path, FileOptions(), labelled=labelled).read(lambda _: None)
    )


def refused(path: Path) -> str:
    with pytest.raises(InvalidData) as caught:
        read(path)
    assert len(str(caught.value)) < 1_000
    return str(caught.value)


@pytest.mark.parametrize("name", VALID)
@mutations
@given(done=changes)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str, done: list[Change]) -> None:
    path = tmp_path / name
    path.write_bytes(damaged(VALID[name], done))
    with read_or_refused(20):
        read(path)


LINES: dict[str, Callable[[int], bytes]] = {
    "many.csv": lambda size: b"text,label\n" + b"a good film,pos\n" * (size // 16),
    "quotes.csv": lambda size: b"text,label\n" + b'"' + b'""' * (size // 2) + b'",pos\n',
    "breaks.csv": lambda size: b'text,label\n"' + b"\n" * size + b'a",pos\n',
    "empty.csv": lambda size: b"text,label\n" + b"\n" * size + b"a,pos\n",
    "marks.csv": lambda size: b"text,label\n" + "\u0315\u0300".encode() * (size // 4) + b"a,pos\n",
    "tags.txt": lambda size: b"<br" * (size // 3),
    "spaces.txt": lambda size: b"a<br" + b" " * size + b"a",
    "apostrophes.txt": lambda size: b"a'" * (size // 2) + b"'" * size,
    "returns.txt": lambda size: b"a\r" * (size // 2),
    "one.jsonl": lambda size: json.dumps({"text": "a " * (size // 2), "label": 1}).encode(),
    "escapes.jsonl": lambda size: b'{"text": "' + b"\\ud83d" * (size // 6) + b'a", "label": 1}',
    "array.json": lambda size: b"[" + b",".join([b'{"text": "a", "label": 1}'] * (size // 25)) + b"]",
    "long.json": lambda size: json.dumps([{"text": "a " * (size // 2), "label": 1}]).encode(),
    "deep.json": lambda size: b'[{"text": "a", "label": 1, "x": [' + b"[]," * (size // 3) + b"1]}]",
    "space.json": lambda size: b"[" + b" " * size + b'{"text": "a", "label": 1}' + b"\n" * size + b"]",
    "stars.csv": lambda size: b"text,stars\na,1\nb,5\n" + b"a good film,3\n" * (size // 14),
    "prefix.txt": lambda size: b"__label__1 a" + b" __label__" * (size // 10),
    "prefixes.txt": lambda size: b"__label__1 a\n" * (size // 13) + b"__label__0 b\n",
    "names.jsonl": lambda size: (
        b'{"text": "a", "label": 1' + b"".join(b',"%d":1' % n for n in range(size // 9)) + b"}"
    ),
}


@pytest.mark.quality
@pytest.mark.parametrize("name", LINES)
def test_a_file_is_read_in_linear_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / name

    def work(size: int) -> Callable[[], int]:
        path.write_bytes(LINES[name](size))
        return lambda: read(path)

    assert_linear(work, 200_000)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"text,label\n" + b"," * 3_000_000, "columns, got a longer one"),
        ("a.csv", b'"",' * 20_000 + b"\n", "20,001 columns"),
        ("a.csv", b"text,label\n" + b'"a\n",' * 11_000 + b"b\n", "11,001 columns"),
        ("a.csv", b"text,label\n" + b'"a', "a closing quote"),
        ("a.jsonl", b"[" * 1_000_000, "got an array"),
        ("a.jsonl", b'{"a":' * 1_000_000, "expected JSON"),
        ("a.jsonl", b'{"text": "a", "label": ' + b"9" * 1_000_000 + b"}", "expected JSON"),
        ("a.jsonl", b'{"text": "a", "label": 1e309}', "a label"),
        ("a.jsonl", b'{"text": 1e309, "label": 1}', "a string as its text, got inf"),
        ("a.txt", b"a" * (LONGEST_REVIEW + 1), "a longer line"),
        ("a.json", b'[{"text": "' + b"a" * 2_500_000, "review 1: expected JSON"),
        ("a.json", b"[" + b'{"a":' * 500_000, "review 1: expected JSON"),
        ("a.json", b'[{"text": "a", "label": ' + b"9" * 1_000_000 + b"}]", "review 1: expected JSON"),
        ("a.json", b'[{"text": "a", "label": 1},' + b" " * 2_500_000, "review 2: expected an object"),
    ],
)
def test_a_file_that_would_fill_the_memory_is_refused(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with at_most(150):
        assert sentence in refused(path)


def test_a_row_that_never_ends_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    field = '"' + "a" * 1_000_000 + '\n",'
    path.write_text("text,label\n" + field * 30)
    assert f"at most {LONGEST_ROW:,} characters and {MOST_COLUMNS:,} columns" in refused(path)


def test_a_file_that_changes_after_it_was_inspected_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("gut")
    file = ReviewFile.inspect(path, FileOptions(), labelled=False)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidData, match="a file that does not change while it is read"):
        list(file.read(lambda _: None))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InvalidData, match="not a regular file"):
        list(file.read(lambda _: None))


def member(name: str, kind: bytes, content: bytes = b"") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


REVIEW = member("aclImdb/train/pos/1.txt", tarfile.REGTYPE, b"good film")
PAX = b"".join(b"12 k%06d=v\n" % n for n in range(40_000))


def read_archive(path: Path) -> int:
    return sum(1 for _ in imdb.read_archive(path, lambda _: None))


@mutations
@given(done=changes)
def test_a_damaged_archive_is_read_or_refused(tmp_path: Path, done: list[Change]) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(damaged(REVIEW * 3 + bytes(1024), done), 1))
    with read_or_refused(20):
        assert read_archive(path) <= 4


@mutations
@given(done=changes)
def test_a_damaged_compressed_archive_is_read_or_refused(tmp_path: Path, done: list[Change]) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(damaged(gzip.compress(REVIEW * 3 + bytes(1024), 1), done))
    with read_or_refused(20):
        read_archive(path)


@pytest.mark.quality
@pytest.mark.parametrize(
    "header",
    [
        member("x", tarfile.XGLTYPE, PAX) + member("x", tarfile.XHDTYPE, b"20 comment=abcdefgh\n"),
        member("x", tarfile.GNUTYPE_LONGNAME, b"aclImdb/train/pos/2.txt\0"),
        member("x", tarfile.XHDTYPE, b"20 comment=abcdefgh\n"),
    ],
)
def test_extended_headers_cost_no_more_than_their_length(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    extra = member("x", tarfile.XHDTYPE, b"20 comment=abcdefgh\n") * 3

    def work(size: int) -> Callable[[], int]:
        path.write_bytes(gzip.compress(header + (extra + REVIEW) * size + bytes(1024), 1))
        return lambda: read_archive(path)

    assert work(10)() == 10
    with at_most(20):
        assert_linear(work, 500)


@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_SPARSE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"?"]
)
def test_a_member_that_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(REVIEW + member("aclImdb/train/pos/2.txt", kind)))
    with pytest.raises(InvalidData, match="which is neither"):
        read_archive(path)


def test_the_archives_of_other_programs_are_read(tmp_path: Path) -> None:
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz", format=form) as tar:
            for name in (
                "aclImdb",
                "aclImdb/train/pos/1.txt",
                "aclImdb/" + "x" * 80 + "/" + "y" * 80,
                "aclImdb/test/neg/1.txt",
            ):
                info = tarfile.TarInfo(name)
                info.type = tarfile.DIRTYPE if name == "aclImdb" else tarfile.REGTYPE
                info.size = 0 if name == "aclImdb" else 4
                info.mtime = 1.5
                tar.addfile(info, io.BytesIO(b"good"))
        assert [(review.label, review.test) for review in imdb.read_archive(path, lambda _: None)] == [
            (1, False),
            (0, True),
        ]


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_ENTRIES", 3)
    for label in ("pos", "neg"):
        (tmp_path / label).mkdir()
        for number in range(3):
            (tmp_path / label / f"{number}.txt").write_text("good film")
    assert len(list(folders.read_folder(tmp_path, lambda _: None))) == 6
    (tmp_path / "pos" / "other").write_text("")
    with pytest.raises(InvalidData, match="expected at most 3 files, got more"):
        folders.fingerprint(tmp_path)


def test_a_word_as_long_as_a_page_is_unknown() -> None:
    words = "a" * LONGEST_WORD + " " + "b" * (LONGEST_WORD + 1)
    assert TokenCollector(9).add_all([words]).tokens().ids.tolist() == [2, UNKNOWN]


def test_an_excerpt_takes_linear_time() -> None:
    assert_linear(lambda size: lambda: excerpt("a\u0300 \u2028\x00" * (size // 5)), 100_000)


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"tokeniser": 1, "words": [1]}', '{"tokeniser": 1, "words": [["a"]]}', "[]", "1e309"],
)
def test_a_vocabulary_that_is_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(content)
    with pytest.raises(InvalidData, match="expected a vocabulary, got a damaged file"):
        Vocabulary.read(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InvalidData, match="expected a vocabulary, got a damaged file"):
        Vocabulary.read(path)


@pytest.mark.parametrize("row", ["1,1e309", "1,nan", "2,0.5", "-1,0.5", "1", "x,y", "1,0.5,7"])
def test_validation_scores_that_are_out_of_range_are_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / VALIDATION).write_text(f"label,probability\n0,0.5\n{row}\n")
    with pytest.raises(DamagedFolder, match=VALIDATION):
        validation_scores(JobFolder(tmp_path))


@pytest.fixture
def cache(tmp_path: Path) -> tuple[Path, bytes, Settings]:
    settings = read_settings(data_dir=tmp_path / "data")
    (tmp_path / "r.csv").write_bytes(VALID["r.csv"])
    source = open_reviews(str(tmp_path / "r.csv"), settings, labelled=True)
    load_reviews(source, Recipe(10, 10), settings.data_dir)
    path = next((settings.data_dir / "tokens").iterdir())
    return path, path.read_bytes(), settings


@mutations
@given(done=changes)
def test_a_damaged_cache_is_refused_or_fits_together(
    cache: tuple[Path, bytes, Settings], done: list[Change]
) -> None:
    path, whole, _ = cache
    path.write_bytes(damaged(whole, done))
    with at_most(20):
        try:
            found = ReviewSet.read(path)
        except QuartetError:
            return
    assert len(found.tokens) == len(found.labels) == len(found.keys)
    assert found.tokens.ids.max() < found.vocabulary.vocab_size
