"""What jobs of the review model share: opening their data, the files of a trained model, and reading one."""

import json
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import MODEL, JobFolder
from worker.context import JobContext
from worker.tasks.sentiment.datasets import Recipe, ReviewSet, load_reviews
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.result_files import READING, VALIDATION, VOCABULARY
from worker.tasks.sentiment.reviews import ReviewSource
from worker.tasks.sentiment.scoring import ReviewScorer
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokens import Vocabulary
from worker.training.compile_cache import cached


class TrainedModel(NamedTuple):
    """The model of a finished training job, and how it reads reviews.

    Attributes:
        scorer: of its network.
        vocabulary: of its network.
        length: words of a review that it reads.
        threshold: the probability from which it calls a review positive.
    """

    scorer: ReviewScorer
    vocabulary: Vocabulary
    length: int
    threshold: float


def open_source(context: JobContext, data: str, *, labelled: bool = True) -> ReviewSource:
    """Find the reviews that a job reads, and record them in `job.json`.

    Args:
        context: of the job.
        data: a dataset's name, or a path.
        labelled: whether every review needs a label.

    Raises:
        InvalidData: there are none of that name, or none that can be read.
        Cancelled: a stop was requested.
    """
    context.progress(force=True, stage="reading the reviews")
    source = open_reviews(data, context.settings, labelled=labelled, check_stop=context.check_stop)
    path = None if source.path is None else str(source.path)
    context.data[source.name] = {"name": source.name, "path": path, "sha256": source.sha256}
    return source


def load_set(context: JobContext, source: ReviewSource, recipe: Recipe) -> ReviewSet:
    """Load reviews as token ids; the report has notes on what was odd about them.

    Args:
        context: of the job.
        source: from `open_source`.
        recipe: how reviews become ids.

    Raises:
        InvalidData: they cannot be read.
        Cancelled: a stop was requested.
    """
    reviews = load_reviews(source, recipe, context.settings.data_dir)
    for note in reviews.notes:
        context.note(note)
    context.data[source.name] |= {"reviews": len(reviews.labels)}
    context.check_stop()
    return reviews


def write_reading(context: JobContext, length: int, threshold: float) -> None:
    """Write how the job's model reads a review, and from which probability it calls one positive."""
    write_json(context.folder / READING, {"length": length, "threshold": threshold})


def load_trained(folder: JobFolder) -> TrainedModel:
    """Load the model of a finished training job; the network is rebuilt from code, only weights are read.

    Raises:
        InvalidData: its vocabulary is damaged, or was written by another version of the tokeniser.
        DamagedFolder: it does not say how its model reads.
    """
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    vocab_size = vocabulary.vocab_size
    scorer = cached((ReviewScorer, vocab_size), 0, lambda: ReviewScorer(build_sentiment(vocab_size, seed=0)))
    scorer.model.load_weights(folder.path / MODEL)
    try:
        reading = json.loads((folder.path / READING).read_bytes())
        return TrainedModel(scorer, vocabulary, reading["length"], reading["threshold"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DamagedFolder(f"{folder.path / READING} cannot be read ({type(error).__name__})") from None


def validation_scores(folder: JobFolder) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels and probabilities of a training job's validation reviews."""
    rows = folder.numbers(VALIDATION)
    labels = np.array([row["label"] for row in rows], np.uint8)
    return labels, np.array([row["probability"] for row in rows])


def texts_at(source: ReviewSource, places: NDArray[np.int64]) -> dict[int, str]:
    """The texts of some reviews, by their place in the source.

    Raises:
        InvalidData: the source cannot be read any more.
        Cancelled: a stop was requested.
    """
    wanted = set(places.tolist())
    found: dict[int, str] = {}
    if wanted:
        for place, review in enumerate(source.read(lambda _: None)):
            if place in wanted:
                found[place] = review.text
                if len(found) == len(wanted):
                    break
    return found
