"""The model of a finished training job, ready to score reviews."""

from typing import NamedTuple

from jobs.errors import DamagedFolder
from jobs.store.job_folder import MODEL, JobFolder
from worker.tasks.sentiment.artifacts import READING, VOCABULARY
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.scoring import ReviewScorer
from worker.tasks.sentiment.vocabulary import Vocabulary
from worker.training.compile_cache import cached
from worker.training.saved_weights import load_weights

MOST_WORDS = 10_000
"""Of a review that a model reads."""


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


def load_trained(folder: JobFolder) -> TrainedModel:
    """Load the model of a finished training job; the network is rebuilt from code, only weights are read.

    Raises:
        InvalidData: its vocabulary was written by another version of the tokeniser.
        DamagedFolder: a file of it is damaged, or its weights are not finite numbers.
    """
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    vocab_size = vocabulary.vocab_size
    scorer = cached((ReviewScorer, vocab_size), 0, lambda: ReviewScorer(build_sentiment(vocab_size, seed=0)))
    load_weights(scorer.model, folder.path / MODEL)
    return TrainedModel(scorer, vocabulary, *_reading(folder))


def _reading(folder: JobFolder) -> tuple[int, float]:
    """How the model reads: words of a review, and the threshold."""
    reading = folder.json(READING)
    try:
        length, threshold = reading["length"], reading["threshold"]
    except (LookupError, TypeError) as error:
        raise DamagedFolder(f"{folder.path / READING} cannot be read ({type(error).__name__})") from None
    if type(length) is not int or not 0 < length <= MOST_WORDS:
        raise DamagedFolder(f"{folder.path / READING}: its length is out of range")
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise DamagedFolder(f"{folder.path / READING}: its threshold is out of range")
    return length, threshold
