"""What the labels of a person's own file mean: those that a job lists, stars, or fastText's prefixes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.conftest import Read
from worker.tasks.sentiment.label_scale import STARS, USUAL, scale_of_ratings

STARS_NOTE = "4 and 5 stars are read as positive, 1 and 2 as negative, since its ratings go from 1 to 5."
LISTED: dict[str, Any] = {"positive": ("5", "4.0"), "negative": ("Bad", "1")}


def table(path: Path, column: str, *labels: object) -> Path:
    path.write_text(f"text,{column}\n" + "".join(f"film {n},{each}\n" for n, each in enumerate(labels)))
    return path


def labels_in(found: Read) -> list[int | None]:
    return [label for _, label in found[0]]


def test_listed_labels_count_and_all_others_are_left_out(tmp_path: Path, read: Callable[..., Read]) -> None:
    path = table(tmp_path / "a.csv", "label", 5, "4", "5.0", "bad", " BAD ", 3, "3.0", "", "x" * 99, 1)
    found = read(path, **LISTED)
    assert labels_in(found) == [1, 1, 1, 0, 0, 0]
    assert found[1] == [f"a.csv: left out 4 reviews with other labels: 3 (2), '' (1), '{'x' * 28}…' (1)."]
    rows = ['{"text": "a", "label": 5}', '{"text": "b", "label": [5]}', '{"text": "c", "label": null}']
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    assert labels_in(read(tmp_path / "a.jsonl", **LISTED)) == [1]


def test_a_file_without_listed_labels_is_refused(tmp_path: Path, read: Callable[..., Read]) -> None:
    path = table(tmp_path / "a.csv", "label", *range(10, 20))
    with pytest.raises(InvalidData) as caught:
        read(path, **LISTED)
    expected = "expected a label (5, 4, bad or 1), got 10 (1), 11 (1), 12 (1), 13 (1), 14 (1), …"
    assert str(caught.value) == f"{path}: {expected}"


@pytest.mark.parametrize("column", ["stars", "Star_Rating", "SCORE", "overall", "review rating"])
def test_ratings_whose_values_prove_five_stars_are_read(
    tmp_path: Path, read: Callable[..., Read], column: str
) -> None:
    found = read(table(tmp_path / "a.csv", column, 5, 1.0, 3, "4", 2, 3))
    assert labels_in(found) == [1, 0, 1, 0]
    assert found[1] == [
        f"a.csv: {STARS_NOTE}",
        f"a.csv: by its name, the column {column!r} is read as the label.",
        "a.csv: left out 2 reviews with other labels: 3 (2).",
    ]
    named = read(table(tmp_path / "a.csv", column, 5, 1), label_column=column)
    assert (labels_in(named), named[1]) == ([1, 0], [f"a.csv: {STARS_NOTE}"])


@pytest.mark.parametrize(
    "values", [(0, 4), (1, 4), (2, 5), (1, 5, 10), (1, 5, 0), (1, 4.5, 5), (1, 5, ""), (1, 5, "pos"), (3,)]
)
def test_ratings_of_a_scale_that_is_in_doubt_are_refused(
    tmp_path: Path, read: Callable[..., Read], values: tuple[object, ...]
) -> None:
    path = table(tmp_path / "a.csv", "score", *values)
    with pytest.raises(
        InvalidData, match="expected ratings from 1 to 5, both ends among them, or labels"
    ) as caught:
        read(path)
    assert caught.value.field == f"{path}, column 'score'"
    assert "--positive and --negative say which labels count, such as " in str(caught.value.hint)


def test_a_column_with_the_name_of_ratings_may_have_labels(tmp_path: Path, read: Callable[..., Read]) -> None:
    assert labels_in(read(table(tmp_path / "a.csv", "rating", "pos", "neg"))) == [1, 0]
    assert labels_in(read(table(tmp_path / "a.csv", "score", 1, 0))) == [1, 0]


def test_of_the_beginning_of_a_file_ratings_need_not_show_both_ends() -> None:
    for values in ({"4"}, {"2", "3"}, {"5", "1"}):
        assert scale_of_ratings(values, whole=False) is STARS
    assert scale_of_ratings({"1"}, whole=False) is USUAL
    assert scale_of_ratings({"6"}, whole=False) is None


def test_numbers_that_are_no_label_are_never_skipped(tmp_path: Path, read: Callable[..., Read]) -> None:
    """Of 0 to 4, skipping 2 to 4 would leave 0 as negative and 1 as positive."""
    path = table(tmp_path / "a.csv", "Sentiment", 0, 1, 4, 2, 3)
    with pytest.raises(InvalidData, match=r"line 4: expected a label .*, got 4") as caught:
        read(path, skip=True)
    assert "such as --positive 3,4 --negative 0,1;" in str(caught.value.hint)
    assert labels_in(read(table(path, "label", 0, 1, "nan", ""), skip=True)) == [0, 1]


FASTTEXT = [
    ("__label__positive good\n__label__neg bad film\n", [("good", 1), ("bad film", 0)], []),
    ("\n__label__1 good\n\n__label__0\tbad\n__label__1 \n", [("good", 1), ("bad", 0)], ["a.txt: skipped 3 reviews without text."]),
    (
        "__label__2 good\n__label__1 bad\n",
        [("good", 1), ("bad", 0)],
        ["a.txt: the label 2 is read as positive and 1 as negative, since it has no others."],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "reviews", "notes"), FASTTEXT)
def test_fasttext_lines_are_read(
    tmp_path: Path, read: Callable[..., Read], content: str, reviews: list[tuple[str, int]], notes: list[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content)
    assert read(path) == (reviews, notes)
    texts, notes = read(path, labelled=False)
    assert texts == [(text, None) for text, _ in reviews]
    assert "a.txt: what begins with __label__ is no part of the text." in notes


def test_fasttext_labels_may_be_listed_and_lines_without_one_skipped(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("__label__5 good\n__label__3 so\n__label__1 bad\nnone\n__label__5 __label__1 both\n")
    found = read(path, positive=("5",), negative=("1",), skip=True)
    assert labels_in(found) == [1, 0]
    assert (
        found[1][1] == "a.txt: skipped 2 of 5 rows, which cannot be read: line 4: 0 labels; line 5: 2 labels."
    )
    for content, sentence in (("good\n", "got 'good'"), ("__label__1 a\nb\n", "got 0 labels")):
        path.write_text(content)
        with pytest.raises(InvalidData, match=sentence):
            read(path)
