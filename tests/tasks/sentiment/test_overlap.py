"""Test reviews that a model was trained on."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, do, predictions
from worker.context import JobContext
from worker.tasks.sentiment.reviews import digest_bytes
from worker.tasks.sentiment.wording import rounded
from worker.training.seen_examples import digests_of, seen_before, validated_before


@pytest.fixture(scope="module")
def rows(own_reviews: Path) -> list[dict[str, str]]:
    """The reviews that the model was trained with."""
    with own_reviews.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def seen(trained: JobFolder, rows: list[dict[str, str]]) -> np.ndarray:
    """Which of the rows the model learned from."""
    found = seen_before(trained, digests_of(digest_bytes(row["text"]) for row in rows))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def validates(trained: JobFolder, rows: list[dict[str, str]]) -> np.ndarray:
    """Which of the rows chose the model's epoch."""
    found = validated_before(trained, digests_of(digest_bytes(row["text"]) for row in rows))
    assert found is not None
    return found


def called_of(context: JobContext) -> tuple[np.ndarray, np.ndarray]:
    """Which of the test reviews are positive, and which are called so."""
    rows = predictions(context.folder)
    labels = np.array([row["label"] == "positive" for row in rows])
    return labels, np.array([float(row["probability"]) >= 0.5 for row in rows])


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("text", "label"))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_an_evaluation_on_rows_of_the_training_file_says_so_first(
    tmp_path: Path,
    trained: JobFolder,
    rows: list[dict[str, str]],
    seen: np.ndarray,
    validates: np.ndarray,
) -> None:
    assert 0.6 < seen.mean() < 0.9
    own = write_rows(tmp_path / "own.csv", rows[:400])
    context = do(tmp_path / "run", "evaluate", own, trained)
    count = int(seen[:400].sum())
    metrics = JobFolder(context.folder).metrics
    validated = int(validates[:400].sum())
    assert validated > 10
    assert (metrics["seen_reviews"], metrics["validated_reviews"]) == (count, validated)
    unseen = ~(seen | validates)[:400]
    labels, called = (of[unseen] for of in called_of(context))
    assert metrics["accuracy_unseen"] == pytest.approx(sk.accuracy_score(labels, called))
    assert metrics["balanced_accuracy_unseen"] == pytest.approx(sk.balanced_accuracy_score(labels, called))
    right = stats.binomtest(int((labels == called).sum()), int(unseen.sum()))
    ends = [metrics[f"accuracy_unseen_{end}"] for end in ("low", "high")]
    assert ends == pytest.approx(list(right.proportion_ci(method="wilson")))
    assert context.warnings[0] == (
        f"{count} of the 400 test reviews are among the model's training reviews, and {validated} among the "
        "model's validation reviews, by which its epoch was chosen; expect worse numbers on new ones. Without "
        f"them the balanced accuracy is {rounded(metrics['balanced_accuracy_unseen'])} and the accuracy "
        f"{rounded(metrics['accuracy_unseen'])}."
    )


def test_reviews_that_the_model_only_validated_with_are_not_called_training_reviews(
    tmp_path: Path,
    trained: JobFolder,
    rows: list[dict[str, str]],
    seen: np.ndarray,
    validates: np.ndarray,
) -> None:
    others = [row for row, was_seen in zip(rows, seen, strict=True) if not was_seen]
    context = do(tmp_path / "run", "evaluate", write_rows(tmp_path / "own.csv", others), trained)
    metrics = JobFolder(context.folder).metrics
    validated = int(validates.sum())
    assert (metrics["seen_reviews"], metrics["validated_reviews"]) == (0, validated) == (0, 120)
    new = ~validates[~seen]
    labels, called = called_of(context)
    assert metrics["accuracy_unseen"] == pytest.approx(sk.accuracy_score(labels[new], called[new]))
    assert context.warnings == []
    assert [note for note in context.notes if "validation" in note] == [
        f"120 of the 420 test reviews are among the model's validation reviews, by which its epoch was chosen. "
        f"Without them the balanced accuracy is {rounded(metrics['balanced_accuracy_unseen'])} and the accuracy "
        f"{rounded(metrics['accuracy_unseen'])}."
    ]


def test_each_text_counts_once_among_those_that_were_seen(
    tmp_path: Path, trained: JobFolder, rows: list[dict[str, str]]
) -> None:
    """Every number is that of the different reviews, and every interval as wide."""
    once = do(tmp_path / "once", "evaluate", write_rows(tmp_path / "once.csv", rows[:200]), trained)
    copied = write_rows(tmp_path / "twice.csv", [row for row in rows[:200] for _ in range(2)])
    twice = do(tmp_path / "twice", "evaluate", copied, trained)
    assert twice.warnings == once.warnings
    assert JobFolder(twice.folder).metrics == JobFolder(once.folder).metrics
    assert JobFolder(twice.folder).metrics["reviews"] == 200
    assert (
        "200 of the 400 test reviews repeat the text and label of another one: each text is measured once."
        in (twice.notes)
    )
    assert JobFolder(twice.folder).job["data"][str(copied)]["reviews"] == 400
    texts = [error["text"] for error in JobFolder(twice.folder).json("surest_errors.json")]
    assert len(texts) == len(set(texts)) > 2


def test_reviews_that_were_all_seen_have_no_number_without_them(
    tmp_path: Path, trained: JobFolder, rows: list[dict[str, str]], seen: np.ndarray
) -> None:
    known = [row for row, was_seen in zip(rows, seen, strict=True) if was_seen][:99]
    new = [{"text": f"{MARKUP} It is new {place}.", "label": str(place % 2)} for place in range(5)]
    own = write_rows(tmp_path / "own.csv", known + new)
    context = do(tmp_path / "run", "evaluate", own, trained)
    assert context.warnings[0] == (
        "99 of the 104 test reviews are among the model's training reviews; expect worse numbers on new ones."
    )
    assert not [name for name in JobFolder(context.folder).metrics if "unseen" in name]


def test_a_model_of_an_earlier_version_is_evaluated_without_that_comparison(
    tmp_path: Path, trained: JobFolder
) -> None:
    earlier = tmp_path / "earlier"
    shutil.copytree(trained.path, earlier, ignore=shutil.ignore_patterns("training_examples.npz"))
    context = do(tmp_path / "run", "evaluate", source=JobFolder(earlier))
    assert "seen_reviews" not in JobFolder(context.folder).metrics
    assert any(note.startswith("The training job kept no digests of its reviews") for note in context.notes)
    known = np.load(trained.path / "training_examples.npz")["digests"]
    np.savez(earlier / "training_examples.npz", digests=known)  # before validation reviews were kept
    context = do(tmp_path / "later", "evaluate", source=JobFolder(earlier))
    metrics = JobFolder(context.folder).metrics
    assert metrics["seen_reviews"] == 0
    assert "validated_reviews" not in metrics
    assert any("kept no digests of its validation reviews" in note for note in context.notes)
