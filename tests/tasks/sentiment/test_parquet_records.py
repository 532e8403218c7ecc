"""Reviews from Parquet files: those that people have, and those that would fill the memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidData, MissingPart
from tests.tasks.hostile_files import at_most
from tests.tasks.sentiment.conftest import Read
from tests.tasks.sentiment.test_user_files import TWO
from worker.tasks.sentiment import parquet_records
from worker.tasks.sentiment.own_data import check_own_data

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def written(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    parquet.write_table(pyarrow.table(columns), path, **options)
    return path


def test_the_columns_of_a_file_are_read(tmp_path: Path, read: Callable[..., Read]) -> None:
    columns = {
        "id": [7, 8, 9],
        "Phrase": ["good film", None, "bad film"],
        "label": pyarrow.array(["pos", "pos", "neg"]).dictionary_encode(),
    }
    path = written(tmp_path / "a.parquet", columns, row_group_size=1)
    notes = [
        "a.parquet: by its name, the column 'Phrase' is read as the text.",
        "a.parquet: skipped 1 review without text.",
    ]
    assert read(path) == (TWO, notes)
    assert read(path, labelled=False, text_column="Phrase")[0] == [(text, None) for text, _ in TWO]


def test_labels_may_be_ratings_and_missing(tmp_path: Path, read: Callable[..., Read]) -> None:
    columns = {"text": ["good film", "bad film", "so", "so"], "stars": [5.0, 1.0, 3.0, None]}
    path = written(tmp_path / "a.parquet", columns)
    assert read(path, positive=("5",), negative=("1",))[0] == TWO
    columns["label"] = [True, False, None, None]
    found, notes = read(written(path, columns), skip=True)
    assert found == TWO
    assert notes == [
        "a.parquet: skipped 2 of 4 rows, which cannot be read: row 3: the label None; row 4: the label None."
    ]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"text": [1, 2], "label": [1, 0]}, "expected a Parquet file with a column of text, got \"int64 in its column 'text'\""),
        ({"review": ["a"], "mood": ["b"]}, "expected the column names label or sentiment, got 'review', 'mood'"),
    ],
)  # fmt: skip
def test_a_file_without_a_text_or_label_is_refused(
    tmp_path: Path, read: Callable[..., Read], columns: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidData) as caught:
        read(written(tmp_path / "a.parquet", columns))
    assert str(caught.value) == f"{tmp_path / 'a.parquet'}: {sentence}"


def test_a_damaged_file_is_refused(tmp_path: Path, read: Callable[..., Read]) -> None:
    path = written(tmp_path / "a.parquet", {"text": ["good film " * 99] * 99, "label": [1] * 99})
    whole = path.read_bytes()
    for content in (whole[:-9], whole[:40] + bytes(40) + whole[80:]):
        path.write_bytes(content)
        with pytest.raises(InvalidData, match="expected a Parquet file"):
            read(path)


@pytest.mark.quality
def test_a_page_that_unpacks_to_more_than_the_memory_is_refused(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    columns = {"text": ["a" * 400_000_000], "label": [1]}
    path = written(tmp_path / "a.parquet", columns, compression="zstd", use_dictionary=False)
    del columns
    assert path.stat().st_size < 100_000
    with (
        at_most(50),
        pytest.raises(InvalidData, match="that is read in 1 GiB of memory, got one that takes more"),
    ):
        read(path)


def test_a_text_without_an_end_is_refused(
    tmp_path: Path, read: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_records, "_ALWAYS", 1_000)
    path = written(tmp_path / "a.parquet", {"text": ["good film " * 100] * 9_000, "label": [1] * 9_000})
    with pytest.raises(InvalidData, match="expected at most 200 characters of text for each byte, got more"):
        read(path)


def test_a_beginning_is_checked_and_a_text_longer_than_its_file_is_not_taken_for_all(tmp_path: Path) -> None:
    texts = [f"film {n} " + "good " * 2_000 for n in range(120)]
    path = written(tmp_path / "a.parquet", {"text": texts, "label": [0] * 110 + [1] * 10})
    assert path.stat().st_size < 1_000_000
    assert check_own_data(path, "train") == []
    few = written(tmp_path / "b.parquet", {"text": texts[:20], "label": [0, 1] * 10})
    check_own_data(few, "train")
    with pytest.raises(InvalidData, match="expected at least 10 different reviews of each label"):
        check_own_data(written(few, {"text": texts[:20], "label": [0] * 20}), "train")


def test_without_pyarrow_a_sentence_says_what_to_install(
    tmp_path: Path, read: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.parquet", {"text": ["good film"], "label": [1]})
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MissingPart, match="Parquet files need pyarrow, which is not installed") as caught:
        read(path)
    assert caught.value.hint == "`pip install 'quartet[parquet]'` installs it"
    assert check_own_data(path, "train") == []  # workers may have it
