"""A text that is one passage over and over: it is found, and a training job and its submission say so."""

from pathlib import Path

import numpy as np
import pytest

from jobs.settings import Settings
from jobs.spec import JobSpec
from worker.context import JobContext
from worker.tasks.textgen import repetition, task
from worker.tasks.textgen.own_data import check_own_data
from worker.tasks.textgen.repetition import repetition_of
from worker.tasks.textgen.vocabulary import code_points

LINE = "The quick brown fox jumps over the lazy dog.\n"
SENTENCE = (
    "own.txt is the same 45 characters 900 times over: a model learns to repeat them, and its numbers say nothing "
    "about other text."
)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LINE * 900, (45, 900)),
        (LINE * 900 + LINE[:-1], (45, 901)),
        ("ab" * 5_000, (2, 5_000)),
        ("".join(f"verse {number}\n" for number in range(500)) * 2, (4_890, 2)),
        (LINE * 900 + "The end.\n", None),
        ("The beginning.\n" + LINE * 900, None),
        (LINE * 450 + "A line of its own.\n" + LINE * 450, None),
        ("".join(f"verse {number}\n" for number in range(500)), None),
    ],
)
def test_a_passage_over_and_over_is_found(kind: type, text: str, found: tuple[int, int] | None) -> None:
    assert repetition_of(code_points(text).astype(kind)) == found


def test_bytes_between_two_codes_are_no_passage() -> None:
    codes = np.full(4_000, 0x101, np.uint16)
    assert repetition_of(codes) == (1, 4_000)


def test_a_long_text_is_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "_BLOCK", 100)
    codes = code_points(LINE * 900).copy()
    assert repetition_of(codes) == (45, 900)
    codes[30_000] += 1
    assert repetition_of(codes) is None


def test_a_training_job_warns_and_says_so_at_submit(tmp_path: Path, folders: Settings) -> None:
    path = tmp_path / "own.txt"
    path.write_text(LINE * 900)
    spec = JobSpec.make("textgen", "train", data=str(path))
    context = JobContext(spec=spec, folder=tmp_path, settings=folders)
    task._open_corpus(context)
    assert context.warnings == [SENTENCE]
    assert context.notes == []
    assert check_own_data(path, "train") == (SENTENCE,)
    assert check_own_data(path, "evaluate") == ()
