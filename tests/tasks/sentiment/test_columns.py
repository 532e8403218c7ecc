"""Which columns of a person's own table hold the text and the label: named, guessed, or without a header."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.conftest import Read
from tests.tasks.sentiment.test_user_files import TWO
from worker.tasks.sentiment.columns import find_columns
from worker.tasks.sentiment.file_options import FileOptions

Options = dict[str, Any]
FIVE = {"positive": ("4", "5"), "negative": ("1", "2")}

FOUND: list[tuple[str, str, Options, list[str]]] = [
    ("a.csv", "id,Kommentar,Note\n1,good film,pos\n2,bad film,neg\n", {"text_column": "Kommentar", "label_column": "note"}, []),
    ("a.csv", "Id;Score;Text\n1;5;good film\n2;1;bad film\n", FIVE, ["a.csv: by its name, the column 'Score' is read as the label."]),
    (
        "a.tsv",
        "PhraseId\tSentenceId\tPhrase\tSentiment\n1\t1\tgood film\t4\n2\t1\tbad film\t0\n",
        {"positive": ("4",), "negative": ("0",)},
        ["a.tsv: by its name, the column 'Phrase' is read as the text."],
    ),
    (
        "a.jsonl",
        '{"reviewText": "good film", "overall": 5.0}\n{"overall": 1.0, "reviewText": "bad film", "summary": ""}\n',
        FIVE,
        ["a.jsonl: by their names, the columns 'reviewText' and 'overall' are read as the text and the label."],
    ),
    ("a.csv", "sep=;\ntext;label\ngood film;pos\nbad film;neg\n", {}, []),
    ("a.csv", '"sep=\t"\r\ntext\tlabel\r\ngood film\tpos\r\nbad film\tneg\r\n', {}, []),
    ("a.tsv", "SEP=,\ntext,label\ngood film,pos\nbad film,neg\n", {}, []),
    ("a.csv", "sep=|\ntext|label\ngood film|pos\nbad film|neg\n", {}, []),
    ("a.csv", "good film,pos\nbad film,neg\n", {}, ["a.csv: its first line is read as a review, since it names no columns."]),
    ("a.csv", "5;good film\n1;bad film\n", FIVE, ["a.csv: its first line is read as a review, since it names no columns."]),
    ("a.csv", "4,7,good film\n0,8,bad film\n", {"text_column": "3", "label_column": "1", "positive": ("4",), "negative": ("0",)}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "options", "notes"), FOUND)
def test_columns_are_found(
    tmp_path: Path, read: Callable[..., Read], name: str, content: str, options: Options, notes: list[str]
) -> None:
    (tmp_path / name).write_text(content)
    assert read(tmp_path / name, **options) == (TWO, notes)


def test_a_name_goes_before_a_number_and_an_exact_name_before_another_case(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("2,1,TEXT,Text\npos,so so,no,good film\nneg,so so,no,bad film\n")
    assert read(path, text_column="Text", label_column="2")[0] == TWO
    assert read(path, text_column="1", label_column="2")[0] == [("so so", 1), ("so so", 0)]
    path.write_text("good film\tpos\nbad film\tneg\n")
    assert read(path, text_column="1") == (TWO, [])
    assert read(path, label_column="2") == (TWO, [])
    path.write_text("good film,7\nbad film,8\n")
    assert read(path, labelled=False, text_column="1")[0] == [("good film", None), ("bad film", None)]


def test_columns_that_are_not_the_usual_ones_are_told() -> None:
    names = ["text", "review", "Score"]
    for text, unusual in (("review", {"text_column": "review"}), ("TEXT", {}), (None, {})):
        columns = find_columns(names, FileOptions(text_column=text), labelled=True)
        assert dict(columns.unusual) == unusual | {"label_column": "Score"}


NOT_FOUND: list[tuple[str, str, Options, str]] = [
    ("a.csv", "text,Note\ngood,pos\n", {"label_column": "Noten"}, "line 1: expected one column 'Noten' with the label, got 'text', 'Note'"),
    ("a.csv", "text,label,LABEL\na,pos,pos\n", {"label_column": "Label"}, "one column 'Label' with the label, got 'text', 'label', 'LABEL'"),
    ("a.csv", "text,label\na,pos\n", {"text_column": "label"}, "two different columns for text and label, got 'label' for both"),
    ("a.csv", "Comment,Body,label\na,b,pos\n", {}, "one column that may be the text, got 'Comment' and 'Body'"),
    ("a.csv", "text,stars,score\na,1,2\n", {}, "one column that may be the label, got 'stars' and 'score'"),
    ("a.csv", "a,b,pos\n", {"text_column": "2"}, "the columns of text and label, both by name or both by number, got 'a', 'b', 'pos'"),
    ("a.csv", "a,pos\n", {"text_column": "1", "label_column": "3"}, "numbers of columns, counted from 1, got 3 of 2"),
    ("a.csv", "a,pos\n", {"text_column": "0"}, "numbers of columns, counted from 1, got 0 of 2"),
    ("a.csv", "a,pos\n", {"text_column": "1", "label_column": "1"}, "counted from 1, got the same number twice"),
    ("a.csv", "a b,pos\n", {"text_column": "9" * 40}, "expected one column '9999"),
    ("a.csv", "one two,three four\n", {}, "line 1: expected the column names text or review and label or sentiment"),
    ("a.csv", "pos,neg\n", {}, "the column names text or review and label or sentiment"),
    ("a.csv", "sep=;\n", {}, "the column names text or review and label or sentiment, got none"),
    ("a.jsonl", '{"Text": "good"}\n', {"text_column": "body"}, "line 1: expected one column 'body' with the text, got 'Text'"),
    ("a.txt", "__label__1 good\n", {"label_column": "x"}, "label_column: expected a file with columns, got "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "options", "sentence"), NOT_FOUND)
def test_columns_that_are_not_there_or_in_doubt_are_refused(
    tmp_path: Path, read: Callable[..., Read], name: str, content: str, options: Options, sentence: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidData) as caught:
        read(tmp_path / name, **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_has_no_columns(tmp_path: Path, read: Callable[..., Read]) -> None:
    for label in ("pos", "neg"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text("good film")
    with pytest.raises(InvalidData, match=r"text_column: expected a file with columns, got .* a folder with"):
        read(tmp_path, text_column="text")
    assert len(read(tmp_path, skip=True)[0]) == 2
