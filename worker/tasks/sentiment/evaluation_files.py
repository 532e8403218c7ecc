"""Writes the tables of an evaluation, and the reviews with the model's most confident mistakes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.store.atomic_files import write_json
from worker.context import JobContext
from worker.tasks.sentiment import artifacts, evaluation
from worker.tasks.sentiment.confusion import Labels, Probabilities, Target
from worker.tasks.sentiment.job_data import texts_at
from worker.tasks.sentiment.reviews import LABEL_NAMES, ReviewSource, excerpt
from worker.tasks.sentiment.thresholds import prices

SUREST_ERRORS = 20


@dataclass(frozen=True)
class Measured:
    """Test reviews with what the model made of them.

    Attributes:
        places: (reviews,), in their source.
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        lengths: (reviews,), in words.
        threshold: the probability from which a review is called positive.
    """

    places: NDArray[np.int64]
    labels: Labels
    probabilities: Probabilities
    lengths: NDArray[np.int32]
    threshold: float


def write_tables(
    context: JobContext, measured: Measured, validation: tuple[Labels, Probabilities], priced: Target
) -> None:
    """Write every table of an evaluation into the job's folder.

    Args:
        context: of the job.
        measured: the test reviews.
        validation: labels and probabilities of the training job's validation reviews.
        priced: what the table of other thresholds is for.
    """
    context.progress(force=True, stage="making tables")
    labels, probabilities, threshold = measured.labels, measured.probabilities, measured.threshold
    context.write_table(
        artifacts.CLASS_REPORT,
        ("class", "precision", "recall", "f1", "reviews"),
        evaluation.class_report(labels, probabilities, threshold),
    )
    context.write_table(
        artifacts.CURVES,
        ("threshold", "precision", "recall", "f1", "false_positive_rate"),
        evaluation.curves(labels, probabilities),
    )
    context.write_table(
        artifacts.PRICES[priced],
        ("target", "threshold", "precision", "recall", "false_positives", "false_negatives"),
        prices(priced, validation, (labels, probabilities), threshold),
    )
    context.write_table(
        artifacts.BY_LENGTH,
        ("from", "to", "reviews", "accuracy"),
        evaluation.by_length(labels, probabilities, threshold, measured.lengths),
    )
    names = [LABEL_NAMES[label] for label in labels]
    rows = list(zip((measured.places + 1).tolist(), names, probabilities.tolist(), strict=True))
    context.write_table(artifacts.PREDICTIONS, ("review", "label", "probability"), rows)


def write_surest_errors(context: JobContext, source: ReviewSource, measured: Measured) -> None:
    """Write the reviews with the model's most confident mistakes, and their texts.

    Args:
        context: of the job.
        source: of the reviews.
        measured: the test reviews.

    Raises:
        InvalidData: the source cannot be read any more.
        Cancelled: a stop was requested.
    """
    wrong = evaluation.surest_errors(
        measured.labels, measured.probabilities, measured.threshold, SUREST_ERRORS
    )
    texts = texts_at(source, measured.places[wrong])
    write_json(
        context.folder / artifacts.SUREST_ERRORS,
        [
            {
                "review": int(measured.places[index]) + 1,
                "label": LABEL_NAMES[measured.labels[index]],
                "probability": float(measured.probabilities[index]),
                "words": int(measured.lengths[index]),
                "text": excerpt(texts[int(measured.places[index])]),
            }
            for index in wrong
        ],
    )
