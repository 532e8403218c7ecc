"""The files that jobs of the review model leave for each other and for their reports."""

import csv

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from worker.context import JobContext

VOCABULARY = "vocabulary.json"
READING = "sentiment.json"
VALIDATION = "validation.csv"

PREDICTIONS = "predictions.csv"
CLASS_REPORT = "classification_report.csv"
CURVES = "curves.csv"
PRICES = {"precision": "precision_price.csv", "recall": "recall_price.csv"}
"""What other thresholds cost, by what they are chosen for."""
BY_LENGTH = "by_length.csv"
SUREST_ERRORS = "surest_errors.json"

DECISIONS = "decisions.json"


def write_reading(context: JobContext, length: int, threshold: float) -> None:
    """Write how a model reads a review, as `sentiment.json`.

    Args:
        context: of the job, whose folder it is written into.
        length: words of a review that it reads.
        threshold: the probability from which it calls a review positive.
    """
    write_json(context.folder / READING, {"length": length, "threshold": threshold})


def validation_scores(folder: JobFolder) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read the labels and probabilities of a training job's validation reviews.

    Returns:
        uint8 (reviews,), 1 for positive, and float64 (reviews,), of positive.

    Raises:
        DamagedFolder: they cannot be read, are out of range, or all have the same label.
    """
    path = folder.path / VALIDATION
    try:
        rows = folder.numbers(VALIDATION)
        labels = np.array([row["label"] for row in rows])
        probabilities = np.array([row["probability"] for row in rows])
    except (OSError, LookupError, ValueError, TypeError, csv.Error) as error:
        raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None
    if not np.isin(labels, (0, 1)).all() or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DamagedFolder(f"{path} has labels or probabilities that are out of range")
    if len(np.unique(labels)) < 2:
        raise DamagedFolder(f"{path} has no reviews of both labels")
    return labels.astype(np.uint8), probabilities
