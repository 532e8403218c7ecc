"""What a refused file is told: how to map what it has, and where a byte is that is no text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.conftest import Read
from worker.tasks.sentiment.text_encoding import checksum_and_encoding

NAME_THEM = (
    "--text-column names the column with the text, --label-column the one with the label; in a table without a "
    "header, they are numbers, counted from 1"
)
SKIP = "--on-bad-row skip leaves out what cannot be read"


def such_as(example: str) -> str:
    return f"--positive and --negative say which labels count, such as {example}; others are left out"


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("a.csv", "text,label\ngood,1\nbad,5\nso,3\n", such_as("--positive 4,5 --negative 1,2")),
        ("a.csv", "text,label\ngood,4.0\nbad,0\nso,2\n", such_as("--positive 3,4 --negative 0,1")),
        ("a.csv", "text,label\ngood,4\nbad,0\n", such_as("--positive 4 --negative 0")),
        ("a.csv", "text,label\ngood,1\nso,0\nbad,-1\n", such_as("--positive 1 --negative -1")),
        ("a.csv", "text,label\ngood,9\nbad,2\nso,5\n", such_as("--positive 7,8,9,10 --negative 1,2,3,4")),
        ("a.csv", "text,label\ngood,70\nbad,20\nso,50\n", such_as("--positive 4,5 --negative 1,2")),
        ("a.csv", 'text,label\ngood,4\nbad\n"', such_as("--positive 4,5 --negative 1,2")),
        ("a.csv", "text,label\ngood,neutral\n", SKIP),
        ("a.csv", "text,stars\ngood,0\nbad,3\nso,4\n", such_as("--positive 3,4 --negative 0,1")),
        ("a.tsv", "Rating\treview\n2\tgood\n1\tbad\n", such_as("--positive 2 --negative 1")),
        ("a.jsonl", '{"text": "good", "overall": 4.5}\n', such_as("--positive 4,5 --negative 1,2")),
        ("a.csv", "good,pos\n", NAME_THEM),
        ("a.csv", "Id;Kommentar;Note\n1;gut;2\n", NAME_THEM),
        ("a.csv", "Content,Comment,stars\ngood,bad,5\n", "--text-column names it"),
        ("a.json", '{\n"text": "good",', f"write one object a line, or an array of objects; {SKIP}"),
        (
            "a.csv",
            "text,label\ngood,1\0\n",
            "save the file as UTF-8; if it is UTF-16, it has no byte order mark",
        ),
    ],
)
def test_what_is_refused_comes_with_a_hint_on_how_to_map_it(
    tmp_path: Path, read: Callable[..., Read], name: str, content: str, hint: str | None
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidData) as caught:
        read(tmp_path / name)
    assert caught.value.hint == hint


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_a_byte_that_is_no_text_is_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.text_encoding._BLOCK", block)
    path = tmp_path / "a.txt"
    for content, given in (
        (
            "Á été ✓".encode() + b"\xe2\x9c",
            r"other bytes \(byte 13 is not UTF-8, byte 2 is not Windows-1252\)",
        ),
        ("Á été".encode() + b"\xe9 ", r"other bytes \(byte 9 is not UTF-8, byte 2 is not Windows-1252\)"),
        ("film Á".encode() + b"\0", "a NUL at byte 8"),
        ("film".encode("utf-16") + b"\0\xd8x\0", r"other bytes \(byte 11 is not UTF-16\)"),
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidData, match=f"got {given}$"):
            checksum_and_encoding(path)
