"""An evaluation measures the held-out tenth, and breaks its errors down."""

import math
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import do
from worker.context import JobContext
from worker.tasks.textgen.baselines import HIGHEST_ORDER, Baselines, baselines
from worker.tasks.textgen.evaluation import (
    by_kind,
    by_place,
    calibration,
    expected_calibration_error,
    metrics,
)
from worker.tasks.textgen.overlap import gain_over_ngrams, seen_metrics
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.scoring import Scores
from worker.tasks.textgen.vocabulary import Vocabulary


def test_an_evaluation_measures_the_held_out_tenth(evaluated: JobFolder) -> None:
    metrics = evaluated.metrics
    assert metrics["characters"] == 1_205
    assert metrics["bits_per_character"] == pytest.approx(metrics["nats_per_character"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["nats_per_character"]))
    assert 0 < metrics["accuracy"] < 1
    assert metrics["ngram_nats"] < metrics["baseline_nats_per_character"]
    assert 1 < metrics["ngram_order"] <= HIGHEST_ORDER
    assert 0 <= metrics["calibration_error"] < 1


def test_the_ngrams_of_an_evaluation_count_all_that_lies_before_the_held_out_tenth(
    evaluated: JobFolder, trained: JobFolder, own_text: Path
) -> None:
    text = own_text.read_text(encoding="utf-8")
    vocabulary = Vocabulary.read(trained.path / "vocabulary.json")
    before, measured = (
        vocabulary.encode(part)[0]
        for part in (text[: len(text) - len(text) // 10], text[-(len(text) // 10) :])
    )
    without = baselines(before, measured, len(vocabulary), lambda: None)
    assert len(measured) == evaluated.metrics["characters"]
    assert evaluated.metrics["ngram_nats"] == pytest.approx(without.ngrams.mean())
    assert evaluated.metrics["baseline_nats_per_character"] == pytest.approx(without.frequencies.mean())


def test_a_network_that_is_no_better_than_frequencies_gets_a_warning(context: JobContext) -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, 90)

    def of(nats: float) -> list[str]:
        context.warnings.clear()
        scores = Scores(*np.tile((nats + noise).astype(np.float32), (3, 1)))
        metrics(context, scores, Baselines(5, np.full(90, 2.0), np.full(90, 3.25)))
        return context.warnings

    assert of(2.5) == []
    (warning,) = of(41.0)
    assert warning.startswith(
        "The network is no better than knowing how frequent each character is: it needs "
    )
    assert "and character frequencies need 3.250; the 95 % interval of the gain is -" in warning
    (warning,) = of(3.25 - 0.01 - float(noise.mean()))
    assert warning.startswith("The network is not clearly better than")
    assert "it needs 3.240 nats per character, and character frequencies need 3.250" in warning


def test_the_gain_over_ngrams_is_of_what_was_not_trained_on() -> None:
    nats, ngrams, seen = np.full(1_000, 2.0), np.full(1_000, 2.5), np.arange(1_000) < 80
    nats[seen] = 0.0
    assert gain_over_ngrams(nats, ngrams, seen) == pytest.approx(
        {"ngram_gain": 0.5, "ngram_gain_low": 0.5, "ngram_gain_high": 0.5}
    )
    assert gain_over_ngrams(nats, ngrams, None)["ngram_gain"] == pytest.approx(0.66)
    assert gain_over_ngrams(nats, ngrams, np.arange(1_000) < 120) == {}
    assert gain_over_ngrams(nats[80:175], ngrams[80:175], np.arange(95) < 6) == {}  # few are left


def test_passages_of_the_training_text_are_counted_and_left_out(
    tmp_path: Path, trained: JobFolder, own_text: Path, evaluated: JobFolder
) -> None:
    assert "nats_per_character_unseen" not in evaluated.metrics or evaluated.metrics["seen_characters"]
    path = tmp_path / "leak.txt"
    path.write_text(prose()[-9_500:] + own_text.read_text()[6_000:6_500] + prose()[-500:])
    context = do(tmp_path / "run", "evaluate", path, trained)
    metrics = JobFolder(context.folder).metrics
    assert 400 < metrics["seen_characters"] <= 500
    (warning,) = context.warnings
    assert warning.startswith(f"{metrics['seen_characters']} of the 1,0")
    assert warning.endswith(
        f"; the others need {metrics['nats_per_character_unseen']:.3f} nats per character."
    )


@pytest.mark.parametrize(
    ("count", "same_text", "told"),
    [
        (0, False, "nothing"),
        (50, False, "note"),
        (150, False, "warning"),
        (700, True, "note"),  # a text repeats itself
        (5_000, True, "warning"),  # it was written twice into its file
        (10_000, False, "warning"),
    ],
)
def test_few_passages_are_a_note_and_many_a_warning(
    context: JobContext, count: int, same_text: bool, told: str
) -> None:
    nats, seen = np.arange(10_000.0), np.arange(10_000) < count
    found = seen_metrics(context, nats, seen, same_text=same_text)
    assert found.pop("seen_characters") == count
    assert found == ({"nats_per_character_unseen": nats[count:].mean()} if 0 < count < 10_000 else {})
    assert (len(context.notes), len(context.warnings)) == (told == "note", told == "warning")


def test_of_a_model_that_kept_no_digests_nothing_is_said(context: JobContext) -> None:
    assert seen_metrics(context, np.arange(9.0), None, same_text=False) == {}
    assert (context.notes, context.warnings) == ([], [])


def test_another_text_is_measured_without_the_characters_that_are_unknown(
    tmp_path: Path, trained: JobFolder
) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Ça va? " + prose()[:4_000] + "Привет, " * 3, encoding="utf-8")
    context = do(tmp_path / "run", "evaluate", path, trained)
    different, left_out = context.notes
    assert different.startswith("The model was trained on another text.")
    assert left_out.startswith("Left out of the last tenth, ")
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
    text = "To be, 2 道\n" * 3
    vocabulary = Vocabulary("".join(sorted(set(text))))
    codes = vocabulary.encode(text)[0]
    rows = by_kind(vocabulary, codes, 11, np.ones(22))
    assert {kind: count for kind, count, _ in rows} == {
        "first letter of a word": 4,
        "later letter": 4,
        "of a script without spaces": 2,
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
