"""The model of a finished training job, ready to score reviews."""

from typing import NamedTuple

from jobs.errors import DamagedFolder
from jobs.store.job_folder import MODEL, JobFolder
from worker.tasks.sentiment.artifacts import READING, VOCABULARY
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.scoring import ReviewScorer
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
    reading = folder.json(READING)
    try:
        return TrainedModel(scorer, vocabulary, reading["length"], reading["threshold"])
    except (LookupError, TypeError) as error:
        raise DamagedFolder(f"{folder.path / READING} cannot be read ({type(error).__name__})") from None
