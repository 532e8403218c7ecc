"""A file or folder of one's own is checked before its job is queued: by the job's readers, in little time."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.jobs import write_reviews
from tests.tasks.sentiment.test_user_files import NO_LABEL_NEEDED, READABLE, UNREADABLE
from worker.tasks.sentiment.own_data import MOST_CHARACTERS, check_own_data

ENOUGH = "".join(f"film {number},{label}\n" for label in ("pos", "neg") for number in range(10))


def refused(path: Path, action: str = "train") -> str:
    with pytest.raises(InvalidData) as caught:
        check_own_data(path, action)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("name", "content", "sentence"), UNREADABLE)
def test_what_the_job_would_refuse_is_refused(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for action in ("train", "evaluate"):
        assert sentence in refused(tmp_path / name, action)


@pytest.mark.parametrize(("name", "content", "reviews"), [row[1:4] for row in READABLE])
def test_what_the_job_would_read_is_let_through(
    tmp_path: Path, name: str, content: bytes, reviews: list[tuple[str, int]]
) -> None:
    (tmp_path / name).write_bytes(content)
    both = len({label for _, label in reviews}) == 2
    check_own_data(tmp_path / name, "evaluate" if both else "generate")


@pytest.mark.parametrize(("name", "content"), NO_LABEL_NEEDED)
def test_what_is_to_be_labelled_needs_no_label(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    check_own_data(tmp_path / name, "generate")


def test_too_few_reviews_to_learn_from_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"text,label\n{ENOUGH}")
    check_own_data(path, "train")
    path.write_text("text,label\n" + "good film,pos\nbad film,neg\n" * 300)
    assert (
        "expected at least 10 different reviews of each label, got 1 different among 300 negative"
        in refused(path)
    )
    check_own_data(path, "evaluate")
    path.write_text("text,label\n" + "good film,pos\n" * 300)
    assert "expected test reviews of both labels, got only positive ones" in refused(path, "evaluate")
    path.write_text("text,label\n")
    assert "expected at least one review, got none" in refused(path, "generate")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_of_a_large_file_the_beginning_is_read_and_nothing_is_cut(tmp_path: Path, name: str) -> None:
    """Quotes around 1,000 lines, characters of three bytes: the end of what is read lies within each."""
    path = tmp_path / name
    lines = "ein schöner ✓ Film\n" * 1_000
    rows: dict[str, Callable[[int], str]] = {
        "a.csv": lambda number: f'"{number} {lines}",{("pos", "neg")[number % 2]}\n',
        "a.tsv": lambda number: f'"{number}\t{lines}"\t{("pos", "neg")[number % 2]}\n',
        "a.jsonl": lambda number: f'{{"text": "{number} {lines[:900].strip()!r}", "label": {number % 2}}}\n',
        "a.txt": lambda number: f"{number} {lines}",
    }
    head = {"a.csv": "text,label\n", "a.tsv": "text\tlabel\n"}.get(name, "")
    whole = head + "".join(map(rows[name], range(1_400 if name == "a.jsonl" else 75)))
    assert len(whole) > 1.2 * MOST_CHARACTERS
    path.write_text(whole, encoding="utf-8")
    action = "generate" if name == "a.txt" else "train"
    check_own_data(path, action)
    with path.open("a") as file:
        file.write('"never closed, no label\n{')
    check_own_data(path, action)  # the job finds it
    path.write_bytes(b"\x81" + whole.encode()[3:])
    assert "expected text in UTF-8" in refused(path, action)


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_ratings_are_told_by_a_beginning_whatever_encoding_follows(tmp_path: Path, name: str) -> None:
    table, array = "text,stars\n", '[{"text": "a", "stars": 5}'
    rows = {"a.csv": ",5\n", "a.json": '", "stars": 5}'}[name]
    begin = {"a.csv": "", "a.json": ', {"text": "'}[name]
    review = f"{begin}{'film ✓ ' * 1_000}{rows}"
    content = (table if name == "a.csv" else array) + review * (MOST_CHARACTERS // len(review))
    (tmp_path / name).write_bytes(content.encode() + f"{begin}schön{rows}".encode("cp1252") * 30_000)
    assert [note.rpartition(": ")[2][:11] for note in check_own_data(tmp_path / name, "train")] == [
        "4 and 5 sta",
        "by its name",
    ]


@pytest.mark.parametrize("character", ["m", "✓"])
def test_the_encoding_of_what_follows_the_beginning_does_not_matter(tmp_path: Path, character: str) -> None:
    line = f"{character * 60}\n".encode()
    beginning = line * (MOST_CHARACTERS // len(line) + 1)
    (tmp_path / "a.txt").write_bytes(beginning + "schön\n".encode("cp1252") * 1_000)
    check_own_data(tmp_path / "a.txt", "generate")


def test_a_file_without_an_end_is_checked_in_little_time(tmp_path: Path) -> None:
    for name, line in (("a.csv", b"\n" * 1_000), ("a.tsv", b'a\t"b\n' * 200), ("a.jsonl", b" \n" * 500)):
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(b"text\tlabel\n" if name == "a.tsv" else b"text,label\n" if name == "a.csv" else b"")
            file.write(line * 4_000)
            file.truncate(2**33)
        began = time.process_time()
        with contextlib.suppress(InvalidData):
            check_own_data(path, "train")
        assert time.process_time() - began < 3


def test_how_data_is_read_is_noted(tmp_path: Path) -> None:
    path, note = tmp_path / "a.csv", "a.csv is not UTF-8; read as Windows-1252."
    path.write_bytes(f"text,label\nCafé,pos\n{ENOUGH}".encode("cp1252"))
    assert check_own_data(path, "train") == [note]
    with path.open("a") as file:
        file.write(ENOUGH * (MOST_CHARACTERS // len(ENOUGH) + 1))
    assert check_own_data(path, "train") == [f"By its first 1,000,000 characters: {note}"]
    path.write_text(f"text,label\n{ENOUGH}")
    assert check_own_data(path, "train") == []
    write_reviews(tmp_path / "own", [("pos/a.txt", "Café".encode("cp1252")), ("neg/a.txt", b"film")])
    assert check_own_data(tmp_path / "own", "evaluate") == ["own: 1 file is not UTF-8; read as Windows-1252."]


def test_folders_are_checked(tmp_path: Path) -> None:
    own = tmp_path / "own"
    write_reviews(own, [(f"{label}/{n}.txt", b"film %d" % n) for label in ("pos", "neg") for n in range(10)])
    check_own_data(own, "train")
    check_own_data(own, "evaluate")
    for number in range(10):
        (own / "pos" / f"{number}.txt").write_text("the same")
    assert "got 1 different among 10 positive reviews" in refused(own)
    for number in range(10):
        (own / "pos" / f"{number}.txt").write_text(" ")
    assert "got 0 positive reviews" in refused(own)
    for number in range(10):
        (own / "pos" / f"{number}.txt").unlink()
    assert "expected a .txt file for each review, got none" in refused(own)


def test_large_folders_are_checked_by_some_of_their_files(tmp_path: Path) -> None:
    own = tmp_path / "own"
    write_reviews(own, [(f"{label}/{n}.txt", b"same") for label in ("pos", "neg") for n in range(250)])
    check_own_data(own, "train")


def test_the_check_loads_no_tensorflow() -> None:
    code = (
        "import sys, worker.tasks.sentiment.own_data\n"
        "assert not {'tensorflow', 'keras', 'numpy', 'sklearn', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
