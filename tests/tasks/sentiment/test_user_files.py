"""Reviews from a person's own CSV, TSV, JSONL and text files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.conftest import Read

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
        ["a.csv: skipped 2 reviews without text."],
    ),
    (
        "Windows-1252",
        "a.csv",
        "text,label\ncafé,pos\n“bad”,neg\n".encode("cp1252"),
        [("café", 1), ("“bad”", 0)],
        ["a.csv is not UTF-8; read as Windows-1252."],
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
        ["a.tsv: its quotes are read as part of the text."],
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
    (
        "an array of objects",
        "a.json",
        b'\n[\n  {"text": "good film", "label": 1},\n  {"label": 0, "text": "bad film"}\n]\n',
        TWO,
        [],
    ),
    ("an array in a .jsonl file", "a.jsonl", b'[{"text": "good film", "label": 1}]', TWO[:1], []),
    ("a .json file with one object a line", "a.json", b'{"text": "good film", "label": 1}\n', TWO[:1], []),
    ("half a pair", "a.jsonl", b'{"text": "good \\ud83d", "label": 1}\n', [("good �", 1)], []),
]


@pytest.mark.parametrize(
    ("name", "content", "reviews", "notes"), [row[1:] for row in READABLE], ids=[r[0] for r in READABLE]
)
def test_a_file_is_read(
    tmp_path: Path,
    read: Callable[..., Read],
    name: str,
    content: bytes,
    reviews: list[tuple[str, int]],
    notes: list[str],
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name) == (reviews, notes)


NO_LABEL_NEEDED = [
    ("a.csv", b"text\ngood film\nbad film\n"),
    ("a.csv", b"id,review,label\n1,good film,whatever\n2,bad film,\n"),
    ("a.jsonl", b'{"text": "good film"}\n{"text": "bad film", "label": []}\n'),
    ("a.txt", b"good film\n\n  \nbad film\n"),
]


@pytest.mark.parametrize(("name", "content"), NO_LABEL_NEEDED)
def test_what_is_to_be_labelled_needs_no_label(
    tmp_path: Path, read: Callable[..., Read], name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name, labelled=False)[0] == [("good film", None), ("bad film", None)]


def test_a_text_of_nothing_in_a_file_of_texts_alone_is_counted(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    (tmp_path / "a.csv").write_text('text\ngood film\n\n""\nbad film\n')
    reviews, notes, *_ = read(tmp_path / "a.csv", labelled=False)
    assert (len(reviews), notes) == (2, ["a.csv: skipped 1 review without text."])


AN_OBJECT = 'an object like {"text": "…", "label": "pos"}'
A_LABEL = "expected a label (pos, neg, positive, negative, 1, 0, true, false)"
TEXT = ": expected text in UTF-8, UTF-16 with a byte order mark or Windows-1252, got "

UNREADABLE: list[tuple[str, bytes, str]] = [
    ("a.csv", b"", ": expected a file with reviews, got an empty one"),
    (
        "a.csv",
        b"text,mood\ngood,5\n",
        "line 1: expected the column names label or sentiment, got 'text', 'mood'",
    ),
    (
        "a.csv",
        b"good,pos\n",
        "line 1: expected the column names text or review and label or sentiment, got 'good', 'pos'",
    ),
    (
        "a.csv",
        b"text,label\ngood,pos\nbad,negativ\n",
        f"line 3: {A_LABEL}, got 'negativ'",
    ),
    (
        "a.csv",
        b"text,label\ngood,\n",
        f"line 2: {A_LABEL}, got ''",
    ),
    (
        "a.csv",
        b"text,label\ngood, really,pos\n",
        "line 2: expected 2 columns as in the first line, got 3",
    ),
    ("a.csv", b"text,label\ngood\n", "line 2: expected 2 columns as in the first line, got 1"),
    ("a.csv", b'text,label\n"good,pos\nbad,neg\n', "expected a closing quote, got the end of the file"),
    (
        "a.csv",
        b'text,label\n"good"ly,pos\n',
        "line 2: expected the next column after a closing quote, got more text",
    ),
    (
        "a.csv",
        b"text,label\ngood,pos\x00\n",
        f"{TEXT}a NUL at byte 20",
    ),
    (
        "a.csv",
        "text,label\ngood,pos\n".encode("utf-16-le"),
        f"{TEXT}a NUL at byte 2",
    ),
    (
        "a.csv",
        b"text,label\n\x81,pos\n",
        f"{TEXT}other bytes (byte 12 is not UTF-8, byte 12 is not Windows-1252)",
    ),
    (
        "a.csv",
        "text,label\nfilmÁ,pos\n".encode() + b"\xe9t\xe9,neg\n",  # UTF-8, but for one line
        f"{TEXT}other bytes (byte 23 is not UTF-8, byte 17 is not Windows-1252)",
    ),
    (
        "a.csv",
        b"\xff\xfet\x00e\x00x",
        f"{TEXT}other bytes (byte 7 is not UTF-16)",
    ),
    (
        "a.jsonl",
        b'{"text": "good", "label": 1}\n{"text": "bad", \n',
        'line 2: expected JSON, an object like {"text": "…", "label": "pos"}, got ',
    ),
    ("a.jsonl", b"[1, 2]\n", f"review 1: expected {AN_OBJECT}, got '1, 2]"),
    ("a.jsonl", b'{"text": "good", "label": 1}\n[1]\n', f"line 2: expected {AN_OBJECT}, got an array"),
    (
        "a.jsonl",
        b'{"text": "good"}\n',
        "line 1: expected the column names label or sentiment, got 'text'",
    ),
    ("a.jsonl", b'{"text": 5, "label": 1}\n', "line 1: expected a string as its text, got 5"),
    (
        "a.jsonl",
        b'{"text": "good", "label": null}\n',
        f"line 1: {A_LABEL}, got None",
    ),
    ("a.jsonl", b'{"a":' * 100_000 + b"\n", "line 1: expected JSON, an object like"),
    ("a.jsonl", b"[" * 100_000 + b"\n", f"review 1: expected {AN_OBJECT}, got an array"),
    (
        "a.json",
        b'\n [\n {"text": "good",\n "label": 1} {',
        "review 2: expected JSON, an object like",
    ),
    ("a.json", b'[{"text": "good", "label": 1}, {"text": ', "review 2: expected JSON, an object like"),
    ("a.json", b'[{"text": "good", "label": 1}', "review 2: expected JSON, an object like"),
    ("a.json", b'[{"text": "good", "label": 1}] 5', "review 2: expected the end of the array, got 5"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), UNREADABLE)
def test_what_cannot_be_read_gets_one_sentence(
    tmp_path: Path, read: Callable[..., Read], name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidData) as caught:
        read(tmp_path / name)
    assert sentence in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_without_an_end_does_not_fill_the_memory(
    tmp_path: Path, read: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.bounded_file.LONGEST_REVIEW", 1_000)
    for name in ("a.csv", "a.jsonl", "a.txt"):
        (tmp_path / name).write_bytes(b"text,label\n" + b'"' + b"a" * 5_000)
        with pytest.raises(
            InvalidData, match=r"at most 1,000 characters, got a longer line|line 1: expected JSON"
        ):
            read(tmp_path / name, labelled=name == "a.csv")


def test_the_limit_on_fields_of_the_whole_process_is_as_it_was(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    import csv

    before = csv.field_size_limit()
    (tmp_path / "a.csv").write_text(f'text,label\n"{"good " * 50_000}",pos\n')
    assert len(read(tmp_path / "a.csv")[0][0][0]) == 250_000
    assert csv.field_size_limit() == before


def test_a_text_that_needs_quotes_gets_a_hint(tmp_path: Path, read: Callable[..., Read]) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,label\ngood, really,pos\n")
    with pytest.raises(InvalidData) as caught:
        read(tmp_path / "a.csv")
    assert caught.value.field == f"{tmp_path / 'a.csv'}, line 2"
    assert caught.value.hint == (
        "put quotes around a text that contains the separator; --on-bad-row skip leaves out what cannot be read"
    )


def test_a_label_that_is_large_is_named_by_its_type(tmp_path: Path, read: Callable[..., Read]) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "good", "label": ' + b"[" * 900 + b"]" * 900 + b"}\n")
    with pytest.raises(InvalidData, match=r"got an array$"):
        read(tmp_path / "a.jsonl")
