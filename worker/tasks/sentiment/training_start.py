"""Makes a training run ready to start: its memory is checked, and its checkpoint, if there is one."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from jobs.errors import DamagedFolder
from worker.context import JobContext
from worker.tasks.sentiment.loss_reviews import name_loss_reviews
from worker.tasks.sentiment.network import EMBEDDING_UNITS, LSTM_UNITS, build_sentiment
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.reviews import ReviewSource
from worker.tasks.sentiment.spec import Train
from worker.tasks.sentiment.split import Split
from worker.tasks.sentiment.training import ReviewTraining
from worker.training.checkpoint import Checkpoint
from worker.training.compile_cache import cached
from worker.training.memory import check_memory


def prepare_training(
    context: JobContext, parameters: Train, source: ReviewSource, reviews: ReviewSet, split: Split
) -> ReviewTraining:
    """Make a training run ready to start, with the compiled functions of an earlier one of its shape.

    Args:
        context: its seed decides the initial weights and the order of the reviews.
        parameters: of the job.
        source: of the reviews; its checksum tells whether an earlier run read the same.
        reviews: all of them.
        split: which of them to learn from, and which to validate with.

    Returns:
        A Trainable with the initial weights. The job's folder names the reviews of its training loss.

    Raises:
        InvalidJob: the run would need more memory than is sensible.
        DamagedFolder: the job's checkpoint learned from other reviews or words.
    """
    vocab_size, seed = reviews.vocabulary.vocab_size, context.spec.seed
    largest = min(parameters.batch_size, len(split.training)) * int(reviews.tokens.sizes.max())
    check_memory("batch_size, length and vocabulary", memory_needed(vocab_size, largest))
    model = build_sentiment(vocab_size, seed)
    training = cached(
        (ReviewTraining, source.sha256, vocab_size, *_shape_of(parameters)),
        reviews.tokens.ids.nbytes,
        lambda: ReviewTraining(
            model,
            reviews.tokens,
            reviews.labels,
            split.training,
            split.validation,
            batch_size=parameters.batch_size,
            learning_rate=parameters.learning_rate,
            seed=seed,
        ),
        lambda earlier: earlier.restart(
            model.get_weights(),
            reviews.tokens,
            split.training,
            split.validation,
            seed=seed,
            learning_rate=parameters.learning_rate,
        ),
    )
    _check_checkpoint(context.checkpoint, training)
    name_loss_reviews(context, reviews, split, training.loss_reviews)
    return training


def _shape_of(parameters: Train) -> Iterable[Any]:
    """What compiled functions depend on."""
    return parameters.model_dump(exclude={"epochs", "learning_rate"}).values()


def _check_checkpoint(path: Path, training: ReviewTraining) -> None:
    """Refuse a checkpoint whose weights learned from other reviews, or are those of other words.

    Raises:
        DamagedFolder: it is one, or cannot be read.
    """
    if not os.path.lexists(path):
        return
    *_, fingerprint = [np.zeros(()), *Checkpoint.read(path).variables]
    if fingerprint.dtype != np.int64 or fingerprint.tolist() != training.fingerprint:
        raise DamagedFolder(
            f"{path}: this checkpoint learned from other reviews, since the data have changed or it was "
            "written by an earlier version of Quartet; submit the job again"
        )


def memory_needed(vocab_size: int, tokens: int) -> float:
    """Estimate the memory of a training step from below, weights and Adam's moments included.

    Args:
        vocab_size: how many different tokens there are.
        tokens: in one batch, the padding included.

    Returns:
        Bytes.
    """
    weights = vocab_size * EMBEDDING_UNITS
    # Of each unit and token h, c and four gates are held; the gradients of gates live for one turn only.
    return 4.0 * (6 * weights + tokens * (6 * LSTM_UNITS + 2 * EMBEDDING_UNITS))
