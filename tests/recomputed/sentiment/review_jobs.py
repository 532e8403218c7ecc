"""The review model's jobs on some of IMDB, from whose folders tests recompute."""

import csv
from dataclasses import dataclass
from pathlib import Path

from jobs.store.job_folder import JobFolder
from tests.recomputed.job_runs import Runs, real_data
from tests.recomputed.sentiment import reviews as own

PARAMETERS = {
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "length": own.LENGTH,
    "vocabulary": own.VOCABULARY,
}
TARGET_PRECISION, TARGET_RECALL = 0.75, 0.9
COUNTS = {"test/neg": 350, "test/pos": 650, "train/neg": 2_000, "train/pos": 1_850}
"""The share of positive reviews is another one in each part, so that none can stand for another unnoticed."""
BETWEEN = (0.03, 0.1, 0.3, 0.4, 0.45, 0.55, 0.6, 0.7, 0.9, 0.97)
"""Probabilities: another threshold makes other errors of such reviews, another ranking another order."""
LABELLED = 40
SEEN, VALIDATED = 150, 40


@dataclass(frozen=True)
class Jobs:
    reviews: own.Reviews
    training: JobFolder
    evaluation: JobFolder
    precise: JobFolder
    complete: JobFolder
    """The evaluation with a target recall."""
    partly_seen: JobFolder
    """On a file of `SEEN` training reviews, `VALIDATED` validation reviews, and test reviews, each twice."""
    generation: JobFolder
    borderline: own.Reviews
    """Test reviews of probabilities between, so few that all errors are among the surest."""
    of_borderline: JobFolder
    precise_of_borderline: JobFolder
    """The evaluation of the same with a target precision."""

    @property
    def test(self) -> own.Reviews:
        return [review for review in self.reviews if review.is_test]

    @property
    def others(self) -> own.Reviews:
        return [review for review in self.reviews if not review.is_test]

    @property
    def learnt(self) -> own.Reviews:
        return self._stated(is_learnt=True)

    @property
    def validation(self) -> own.Reviews:
        return self._stated(is_learnt=False)

    @property
    def of_file(self) -> own.Reviews:
        validation = [*self.validation[: VALIDATED // 2], *self.validation[-VALIDATED // 2 :]]
        return [*self.learnt[:SEEN], *validation, *self.test[:200], *self.test[-200:]]

    def _stated(self, *, is_learnt: bool) -> own.Reviews:
        """The training or the validation reviews, as the folder states which are trained on."""
        is_trained_on = own.is_trained_on(self.training, self.others)
        return [review for review, of in zip(self.others, is_trained_on, strict=True) if of == is_learnt]


def run_jobs(folder: Path) -> Jobs:
    """Train, evaluate and label, in a folder of its own."""
    reviews = own.read_archive(real_data("aclImdb.tar.gz"), COUNTS)
    runs = Runs.within(folder)
    own.write_archive(folder / "data" / "aclImdb.tar.gz", reviews)
    training = runs.do("sentiment", "train", data="imdb", seed=5, **PARAMETERS)
    evaluation = runs.do("sentiment", "evaluate", source=training)
    jobs = Jobs(reviews, training, *[training] * 5, [], *[training] * 2)
    borderline = borderline_of(evaluation, jobs.test)
    write_csv(folder / "file.csv", [*jobs.of_file, *reversed(jobs.of_file)])
    write_csv(folder / "borderline.csv", borderline)
    between = {"source": training, "data": folder / "borderline.csv"}
    texts = tuple(review.text for review in jobs.test[-LABELLED // 2 :] + jobs.test[: LABELLED // 2])
    return Jobs(
        reviews,
        training,
        evaluation,
        runs.do("sentiment", "evaluate", source=training, target_precision=TARGET_PRECISION),
        runs.do("sentiment", "evaluate", source=training, target_recall=TARGET_RECALL),
        runs.do("sentiment", "evaluate", source=training, data=folder / "file.csv"),
        runs.do("sentiment", "generate", source=training, text=texts, threshold=0.6),
        borderline,
        runs.do("sentiment", "evaluate", **between),
        runs.do("sentiment", "evaluate", target_precision=TARGET_PRECISION, **between),
    )


def borderline_of(evaluation: JobFolder, test: own.Reviews) -> own.Reviews:
    """Ten test reviews of each label, their labels in turn: those whose probabilities are nearest to `BETWEEN`."""
    found: list[own.Reviews] = []
    for label in (0, 1):
        rows = zip(evaluation.table("predictions.csv"), test, strict=True)
        left = [(float(row["probability"]), review) for row, review in rows if review.label == label]
        found.append([])
        for wanted in BETWEEN:
            nearest = min(left, key=lambda pair: abs(pair[0] - wanted))
            left.remove(nearest)
            found[-1].append(nearest[1])
    return [review for pair in zip(*found, strict=True) for review in pair]


def write_csv(path: Path, reviews: own.Reviews) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((review.text, review.label) for review in reviews)])
