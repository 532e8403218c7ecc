"""What becomes of rows that cannot be read: with `--on-bad-row skip` they are counted, and five are named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from tests.tasks.sentiment.conftest import Read
from worker.tasks.sentiment.own_data import check_own_data

ROWS = "good film,pos\nonly\nso,so,so\nbad film,neutral\nbad film,neg\n"


def test_bad_rows_are_refused_or_skipped(tmp_path: Path, read: Callable[..., Read]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + ROWS)
    with pytest.raises(InvalidData, match="line 3: expected 2 columns as in the first line, got 1"):
        read(path)
    found, notes = read(path, skip=True)
    assert found == [("good film", 1), ("bad film", 0)]
    assert notes == [
        "a.csv: skipped 3 of 5 rows, which cannot be read: line 3: 1 column; line 4: 3 columns; "
        "line 5: the label 'neutral'."
    ]


def test_five_of_many_are_named(tmp_path: Path, read: Callable[..., Read]) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "so\n" * 1_200 + ROWS)
    (note,) = read(tmp_path / "a.csv", skip=True)[1]
    assert note.startswith("a.csv: skipped 1,203 of 1,205 rows, which cannot be read: line 2: 1 column; ")
    assert note.endswith("line 6: 1 column; ….")
    assert note.count("column") == 5


def test_lines_that_are_no_json_object_with_a_text_are_skipped(
    tmp_path: Path, read: Callable[..., Read]
) -> None:
    lines = ["{", "[1]", '{"a": 1}', '{"text": 5, "label": 1}', '{"text": "good film", "label": "pos"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found, notes = read(tmp_path / "a.jsonl", skip=True)
    assert found == [("good film", 1)]
    assert notes[0].startswith(
        "a.jsonl: skipped 4 of 5 rows, which cannot be read: line 1: '{'; line 2: an array;"
    )
    (tmp_path / "a.json").write_text('[{"text": 5}, {"text": "good film", "label": "pos"}]')
    found, notes = read(tmp_path / "a.json", skip=True)
    assert (found, notes) == (
        [("good film", 1)],
        ["a.json: skipped 1 of 2 rows, which cannot be read: review 1: 'text'."],
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("text,label\nso\nx,y,z\n", "line 2: expected 2 columns as in the first line, got 1"),
        ('text,label\ngood,pos\n"never closed,neg\n', "a closing quote"),
        ('text,label\ngood,pos\n"so"so,neg\n', "the next column after a closing quote"),
        ("text,label\ngood,pos\n" + "," * 20_000 + "\n", "a row of at most"),
    ],
)
def test_a_file_of_bad_rows_alone_and_faults_of_the_whole_file_are_refused(
    tmp_path: Path, read: Callable[..., Read], content: str, sentence: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InvalidData, match=sentence):
        read(tmp_path / "a.csv", skip=True)


def test_the_check_before_a_job_is_queued_knows_the_options(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"film {n},{5 if n % 2 else 1},so\n" for n in range(40)) + "film\n"
    path.write_text("Kommentar,Score,label\n" + rows)
    options = {"text_column": "Kommentar", "label_column": "Score"}
    for action in ("train", "evaluate"):
        with pytest.raises(InvalidData, match="line 42: expected 3 columns as in the first line, got 1"):
            check_own_data(path, action, **options)
        notes = check_own_data(path, action, **options, on_bad_row="skip")
        assert [note.partition(":")[2][:10] for note in notes] == [" 4 and 5 s", " skipped 1"]
        check_own_data(path, action, **options, on_bad_row="skip", positive=("5",), negative=("1",))
        with pytest.raises(InvalidData, match=r"expected a label \(4 or 2\), got 1 \(20\), 5 \(20\)"):
            check_own_data(path, action, **options, on_bad_row="skip", positive=("4",), negative=("2",))
    check_own_data(path, "generate", text_column="Kommentar", on_bad_row="skip")
