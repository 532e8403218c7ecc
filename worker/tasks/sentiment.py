"""Reviews: train an LSTM to tell positive from negative, measure it, label reviews with it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np

from jobs.datasets import DATASETS
from jobs.errors import InvalidData, InvalidJob
from jobs.files import whole_file, write_json
from jobs.folder import JobFolder
from jobs.spec import SentimentEvaluate, SentimentGenerate, SentimentTrain
from worker import review_evaluation as evaluation
from worker.data.review_sets import Recipe, ReviewSet, load_reviews, test_part, validation_part
from worker.data.review_sources import open_reviews
from worker.data.reviews import LABEL_NAMES, ReviewSource
from worker.data.tokens import TokenCollector, Vocabulary
from worker.models.sentiment import build_sentiment
from worker.report import review_parts
from worker.report.parts import Metric, Parts
from worker.review_explanation import explain
from worker.review_scoring import ReviewScorer, cross_entropy, probabilities_of
from worker.review_training import ReviewTraining, memory_needed
from worker.run import Run
from worker.training import fit

METRICS = (
    Metric("accuracy", "Test accuracy", 4, better="higher"),
    Metric("validation_accuracy", "Validation accuracy", 4, better="higher"),
    Metric("f1", "F1", 4, better="higher"),
    Metric("precision", "Precision", 4, better="higher"),
    Metric("recall", "Recall", 4, better="higher"),
    Metric("roc_auc", "Area under the ROC curve", 4, better="higher"),
    Metric("average_precision", "Average precision", 4, better="higher"),
    Metric("loss", "Cross-entropy", 4, "nats", better="lower"),
    Metric("threshold", "Threshold", 4),
    Metric("validation_loss", "Validation cross-entropy", 4, "nats", better="lower"),
    Metric("best_epoch", "Best epoch", 0),
    Metric("reviews", "Reviews", 0),
    Metric("positive_share", "Share called positive", 4),
    Metric("reviews_per_second", "Speed", 0, "reviews/s", better="higher"),
)

THRESHOLD = 0.5
LEAST_OF_A_LABEL = 10
"""Reviews of each label: two for testing, one for validation, seven to learn from."""

MEMORY_LIMIT_GB = 16
SUREST_ERRORS = 20
FEW_TO_CHOOSE_BY = 200
"""Validation reviews: of fewer, a threshold is a rough one."""
