"""Reviews: train an LSTM to tell positive from negative, measure it, label reviews with it."""

import numpy as np
from numpy.typing import NDArray

from worker.context import JobContext
from worker.tasks.sentiment.artifacts import VALIDATION, VOCABULARY, validation_scores, write_reading
from worker.tasks.sentiment.confusion import HALF, confusion_of
from worker.tasks.sentiment.datasets import Recipe
from worker.tasks.sentiment.job_data import load_set, open_source
from worker.tasks.sentiment.labelling import Labeller
from worker.tasks.sentiment.overlap import unseen_measures
from worker.tasks.sentiment.scoring import cross_entropy, probabilities_of
from worker.tasks.sentiment.spec import Evaluate, Generate, Train
from worker.tasks.sentiment.split import reviews_to_measure_by, split_for_training
from worker.tasks.sentiment.tokens import note_on_cut
from worker.tasks.sentiment.trained_model import load_trained
from worker.tasks.sentiment.training import ReviewTraining
from worker.tasks.sentiment.training_start import prepare_training
from worker.tasks.sentiment.trivial_baseline import baselines, warn_if_no_better
from worker.training.best_epoch import train_best


def train(context: JobContext) -> dict[str, float]:
    """Train from scratch on the training reviews, and keep the weights of the best epoch.

    Raises:
        InvalidData: the reviews cannot be used.
        InvalidJob: the job would need more memory than is sensible.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Train)
    source = open_source(context, context.data_to_read())
    reviews = load_set(context, source, Recipe(parameters.length, parameters.vocabulary))
    split = split_for_training(context, source, reviews)
    _note_cut(context, reviews.tokens.is_cut[split.training], parameters.length, "training review")
    trainable = prepare_training(context, parameters, source, reviews, split)

    # Before training, so that a cancelled job has them too.
    reviews.vocabulary.write(context.folder / VOCABULARY)
    write_reading(context, parameters.length, HALF)

    context.report_model(trainable.model)
    trained = train_best(context, trainable, parameters.epochs)
    return {
        **_validate(context, trainable),
        "training_loss": trained.best["loss"],
        "best_epoch": trained.best["epoch"],
        "reviews_per_second": trained.per_second(len(split.training)),
        "training_reviews": len(split.training),
        "positive_training_reviews": int(reviews.labels[split.training].sum()),
    }


def evaluate(context: JobContext) -> dict[str, float]:
    """Measure a model on test reviews, at a threshold that is chosen on its validation reviews.

    Raises:
        InvalidData: the reviews cannot be used.
        DamagedFolder: the training job's folder cannot be read.
        Cancelled: a stop was requested.
    """
    # scikit-learn, which no training job needs, takes 66 MB and half a second to load.
    from worker.tasks.sentiment import evaluation, evaluation_files, thresholds

    parameters = context.spec.parameters
    assert isinstance(parameters, Evaluate)
    model = load_trained(context.source)
    source = open_source(context, context.data_to_read())
    reviews = load_set(context, source, Recipe(model.length, model.vocabulary))
    places = reviews_to_measure_by(context, source, reviews)
    labels, tokens = reviews.labels[places], reviews.tokens.taken(places)
    _note_cut(context, tokens.is_cut, model.length, "test review")

    context.progress(force=True, stage="measuring")
    logits = model.scorer.logits(tokens, context.check_stop)
    probabilities = probabilities_of(logits)
    validation = validation_scores(context.source)
    threshold, chosen = thresholds.choose_threshold(context, parameters, validation, model.threshold)
    counts = confusion_of(labels, probabilities, threshold)
    metrics = evaluation.measures(labels, probabilities, threshold)
    metrics |= {"loss": cross_entropy(labels, logits), **baselines(counts), **chosen}
    metrics |= thresholds.target_margin(metrics)
    warn_if_no_better(context, counts, metrics, "test")
    metrics |= unseen_measures(context, reviews.digests[places], labels, probabilities, threshold)
    metrics |= evaluation.counts_and_intervals(labels, probabilities, threshold)
    thresholds.warn_if_missed(context, metrics)

    measured = evaluation_files.Measured(places, labels, probabilities, tokens.lengths, threshold)
    evaluation_files.write_tables(context, measured, validation, thresholds.target_of(metrics) or "precision")
    evaluation_files.write_surest_errors(context, source, measured)
    write_reading(context, model.length, threshold)
    return metrics


def generate(context: JobContext) -> dict[str, float]:
    """Label reviews: `predictions.csv` has all of them, the report the words that moved the first decisions.

    Raises:
        InvalidData: the reviews cannot be read, or there are none.
        DamagedFolder: the training job's folder cannot be read.
        Cancelled: a stop was requested.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Generate)
    model = load_trained(context.source)
    threshold = model.threshold if parameters.threshold is None else parameters.threshold
    labeller = Labeller(context, model.scorer, model.vocabulary, model.length, threshold)
    if context.spec.data is None:
        return labeller.label(parameters.text)
    source = open_source(context, context.spec.data, labelled=False)
    return labeller.label(review.text for review in source.read(context.note))


def _note_cut(context: JobContext, is_cut: NDArray[np.bool_], length: int, kind: str) -> None:
    if is_cut.any():
        context.note(note_on_cut(int(is_cut.sum()), length, kind))


def _validate(context: JobContext, trainable: ReviewTraining) -> dict[str, float]:
    """Measure the saved model on the validation reviews, and write their scores for later evaluations."""
    labels, logits = trainable.validate()
    probabilities = probabilities_of(logits)
    rows = list(zip(labels.tolist(), probabilities.tolist(), strict=True))
    context.write_table(VALIDATION, ("label", "probability"), rows)
    counts, loss = confusion_of(labels, probabilities, HALF), cross_entropy(labels, logits)
    warn_if_no_better(context, counts, {"loss": loss}, "validation")
    measured = {"loss": loss, **counts.measures(), **counts.intervals()}
    names = tuple(name for name in measured if name.startswith(("balanced_accuracy", "accuracy", "loss")))
    return {
        **{f"validation_{name}": measured[name] for name in names},
        **baselines(counts, "validation_"),
        "validation_reviews": counts.reviews,
        "positive_validation_reviews": counts.positives,
    }
