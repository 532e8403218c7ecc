"""What jobs of the review model share: their data, reading a trained one."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.folder import JobFolder
from worker.data.review_sets import Recipe, ReviewSet, load_reviews
from worker.data.review_sources import open_reviews
from worker.data.reviews import ReviewSource
from worker.data.tokens import Vocabulary
from worker.kept import kept
from worker.models.sentiment import build_sentiment
from worker.review_scoring import ReviewScorer
from worker.run import Run

VOCABULARY = "vocabulary.json"
READING = "sentiment.json"
VALIDATION = "validation.csv"


def open_source(run: Run, data: str, *, labelled: bool = True) -> ReviewSource:
    """Find the reviews a job reads, and say so in `job.json`.

    Raises:
        InvalidData: there are none of that name, or none that can be read.
    """
    run.progress(force=True, stage="reading the reviews")
    source = open_reviews(data, run.settings, labelled=labelled, check_stop=run.check_stop)
    path = None if source.path is None else str(source.path)
    run.data[source.name] = {"name": source.name, "path": path, "sha256": source.sha256}
    return source


def load_set(run: Run, source: ReviewSource, recipe: Recipe) -> ReviewSet:
    """The reviews as numbers; the report says what was odd about them.

    Raises:
        InvalidData: they cannot be read.
        Cancelled: the run was asked to stop.
    """
    reviews = load_reviews(source, recipe, run.settings.data_dir)
    for note in reviews.notes:
        run.note(note)
    run.data[source.name] |= {"reviews": len(reviews.labels)}
    run.check_stop()
    return reviews


def load_scorer(folder: JobFolder) -> tuple[ReviewScorer, Vocabulary, dict[str, Any]]:
    """The model of a finished training and how it reads; the network is rebuilt, only weights are read."""
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    numbers = vocabulary.numbers
    scorer, _ = kept((ReviewScorer, numbers), 0, lambda: ReviewScorer(build_sentiment(numbers, seed=0)))
    scorer.model.load_weights(folder.path / "model.keras")
    return scorer, vocabulary, json.loads((folder.path / READING).read_bytes())


def validation_scores(folder: JobFolder) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels and probabilities of the training's validation reviews."""
    rows = folder.numbers(VALIDATION)
    labels = np.array([row["label"] for row in rows], np.uint8)
    return labels, np.array([row["probability"] for row in rows])


def texts_at(source: ReviewSource, places: NDArray[np.int64]) -> dict[int, str]:
    """The texts of some reviews, by their place in the source."""
    wanted = set(places.tolist())
    found: dict[int, str] = {}
    if wanted:
        for place, review in enumerate(source.read(lambda _: None)):
            if place in wanted:
                found[place] = review.text
                if len(found) == len(wanted):
                    break
    return found
