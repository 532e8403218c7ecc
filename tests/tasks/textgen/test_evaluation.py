"""An evaluation measures the held-out tenth, and breaks its errors down."""

import math
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import do
from worker.tasks.textgen.evaluation import by_kind, by_place, calibration, expected_calibration_error
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.scoring import Scores
from worker.tasks.textgen.vocabulary import Vocabulary


def test_an_evaluation_measures_the_held_out_tenth(tmp_path: Path, trained: JobFolder) -> None:
    metrics = JobFolder(do(tmp_path / "run", "evaluate", source=trained).folder).metrics
    assert metrics["characters"] == 1_205
    assert metrics["bits_per_character"] == pytest.approx(metrics["nats_per_character"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["nats_per_character"]))
    assert 0 < metrics["accuracy"] < 1
    assert metrics["fivegram_nats"] < metrics["unigram_nats"]
    assert 0 <= metrics["calibration_error"] < 1


def test_another_text_is_measured_without_the_characters_that_are_unknown(
    tmp_path: Path, trained: JobFolder
) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Ça va? " + prose()[:4_000] + "Привет, " * 3, encoding="utf-8")
    context = do(tmp_path / "run", "evaluate", path, trained)
    different, left_out = context.notes
    assert different.startswith("The model was trained on another text.")
    assert left_out.startswith("Left out of the held-out part, ")
    assert "18 of 403 characters (" in left_out
    assert "'П'" in left_out


def test_a_text_of_unknown_characters_gets_one_sentence(tmp_path: Path, trained: JobFolder) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Привет! " * 500, encoding="utf-8")
    with pytest.raises(
        InvalidData, match=r"expected at least 90 characters known to the model .* got [0-9]+"
    ):
        do(tmp_path / "run", "evaluate", path, trained)


def test_places_in_a_line_are_counted_from_its_beginning() -> None:
    codes = np.array([1, 0, 2, 3, 0] * 100, np.uint8)  # lines of 2 and of 3 characters, ends included
    nats = np.where(codes == 0, 1.0, 3.0)
    rows = by_place(0, codes, 5, nats[5:], 2 * nats[5:])
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[0][1:] == (198, 3.0, 6.0)
    assert rows[2][1:] == (99, 1.0, 2.0)
    assert by_place(-1, codes, 5, nats[5:]) == []


def test_kinds_of_characters_share_all_of_them() -> None:
    text = "To be, 2 b\n" * 3
    vocabulary = Vocabulary("".join(sorted(set(text))))
    codes = vocabulary.encode(text)[0]
    rows = by_kind(vocabulary, codes, 11, np.ones(22))
    assert {kind: count for kind, count, _ in rows} == {
        "first letter of a word": 6,
        "later letter": 4,
        "space": 6,
        "line end": 2,
        "digit": 2,
        "any other": 2,
    }


def test_a_model_that_is_as_sure_as_right_has_no_calibration_error() -> None:
    confidence = np.repeat([0.25, 0.75], 400).astype(np.float32)
    right = np.concatenate([np.arange(400) < 100, np.arange(400) < 300])
    rows = calibration(Scores(confidence, right, confidence))
    assert [row[2:] for row in rows] == [(400, 0.25, 0.25), (400, 0.75, 0.75)]
    assert expected_calibration_error(rows) == 0
    surer = calibration(Scores(confidence, ~right, confidence))
    assert expected_calibration_error(surer) == pytest.approx(0.5)
