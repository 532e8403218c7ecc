"""Reviews: train an LSTM to tell positive from negative, measure it, label reviews with it."""

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData, InvalidJob
from jobs.files import write_json
from jobs.folder import JobFolder
from jobs.spec import SentimentEvaluate, SentimentGenerate, SentimentTrain
from worker.data.review_sets import Recipe, ReviewSet, test_part, validation_part
from worker.data.reviews import LABEL_NAMES, counted
from worker.kept import kept
from worker.models.sentiment import build_sentiment
from worker.report import review_parts
from worker.report.parts import Metric, Parts
from worker.review_jobs import (
    READING,
    VALIDATION,
    VOCABULARY,
    load_scorer,
    load_set,
    open_source,
    texts_at,
    validation_scores,
)
from worker.review_labelling import Labeller
from worker.review_scoring import cross_entropy, probabilities_of
from worker.review_training import ReviewTraining, memory_needed
from worker.run import Run
from worker.training import fit

METRICS = (
    Metric("accuracy", "Test accuracy", 4, better="higher"),
    Metric("validation_accuracy", "Validation accuracy", 4, better="higher"),
    Metric("positive_share", "Share called positive", 4),
    Metric("f1", "F1", 4, better="higher"),
    Metric("precision", "Precision", 4, better="higher"),
    Metric("recall", "Recall", 4, better="higher"),
    Metric("roc_auc", "Area under the ROC curve", 4, better="higher"),
    Metric("average_precision", "Average precision", 4, better="higher"),
    Metric("loss", "Cross-entropy", 4, "nats", better="lower"),
    Metric("validation_loss", "Validation cross-entropy", 4, "nats", better="lower"),
    Metric("training_loss", "Training cross-entropy", 4, "nats", better="lower"),
    Metric("best_epoch", "Best epoch", 0),
    Metric("threshold", "Threshold", 4),
    Metric("target_precision", "Precision asked for", 4),
    Metric("target_recall", "Recall asked for", 4),
    Metric("validation_precision", "Precision on validation reviews", 4, better="higher"),
    Metric("validation_recall", "Recall on validation reviews", 4, better="higher"),
    Metric("accuracy_low", "Accuracy, lower end of the 95 % interval", 4),
    Metric("accuracy_high", "Accuracy, upper end of the 95 % interval", 4),
    Metric("f1_low", "F1, lower end of the 95 % interval", 4),
    Metric("f1_high", "F1, upper end of the 95 % interval", 4),
    Metric("true_positives", "Positive, called positive", 0),
    Metric("false_positives", "Negative, called positive", 0),
    Metric("true_negatives", "Negative, called negative", 0),
    Metric("false_negatives", "Positive, called negative", 0),
    Metric("reviews", "Reviews", 0),
    Metric("reviews_per_second", "Speed", 0, "reviews/s", better="higher"),
)

THRESHOLD = 0.5
LEAST_OF_A_LABEL = 10
"""Reviews of each label: two for testing, one for validation, seven to learn from."""

MEMORY_LIMIT_GB = 16
"""For a step and the weights; who needs more than this has mistyped."""

SUREST_ERRORS = 20
FEW_TO_CHOOSE_BY = 200
"""Validation reviews: of fewer, a threshold is a rough one."""


def train(run: Run) -> dict[str, float]:
    """Train from scratch on the training reviews; the epoch that validates best is kept.

    Raises:
        InvalidData: the reviews cannot be used.
        InvalidJob: the training would need more memory than is sensible.
        Cancelled: the run was asked to stop; its checkpoint is kept.
        JobFailed: the training diverged.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, SentimentTrain)
    source = open_source(run, run.spec.data or parameters.default_data)
    reviews = load_set(run, source, Recipe(parameters.length, parameters.vocabulary))
    for label, name in enumerate(LABEL_NAMES):
        count = int((reviews.labels == label).sum())
        if count < LEAST_OF_A_LABEL:
            raise InvalidData(
                f"{source.name}: {counted(count, f'{name} review', f'{name} reviews')}; "
                f"allowed: {LEAST_OF_A_LABEL} or more of each label"
            )
    vocabulary, test, validation = (
        reviews.vocabulary,
        test_part(reviews),
        validation_part(reviews, run.spec.seed),
    )
    if not vocabulary.words:
        raise InvalidData(f"{source.name}: no word appears twice; allowed: reviews with words in common")
    training = np.flatnonzero(~test & ~validation)
    longest = int(reviews.tokens.sizes.max())
    needed = memory_needed(vocabulary.numbers, min(parameters.batch_size, len(training)) * longest) / 1e9
    if needed > MEMORY_LIMIT_GB:
        raise InvalidJob(
            f"batch_size, length and vocabulary: together they need about {needed:,.0f} GB in each step; "
            f"allowed: {MEMORY_LIMIT_GB} GB"
        )
    if not reviews.test.any():
        run.note(
            "The data keep no reviews for testing, so a fifth of them, chosen by their text, is left for it."
        )
    run.data[source.name] |= {
        "training_reviews": len(training),
        "validation_reviews": int(validation.sum()),
        "test_reviews": int(test.sum()),
        "vocabulary": len(vocabulary.words),
    }
    # Written before the training, so that a job that was cancelled has them too.
    vocabulary.write(run.folder / VOCABULARY)
    write_json(run.folder / READING, {"length": parameters.length, "threshold": THRESHOLD})

    model = build_sentiment(vocabulary.numbers, run.spec.seed)
    parts = (training, np.flatnonzero(validation))
    trainable, new = kept(
        (ReviewTraining, source.sha256, *parameters.model_dump(exclude={"epochs"}).values()),
        reviews.tokens.numbers.nbytes,
        lambda: ReviewTraining(
            model,
            reviews.tokens,
            reviews.labels,
            *parts,
            batch_size=parameters.batch_size,
            learning_rate=parameters.learning_rate,
            seed=run.spec.seed,
        ),
    )
    if not new:
        trainable.restart(model.get_weights(), run.spec.seed, *parts)
    model = trainable.model
    history = fit(run, trainable, parameters.epochs, model=model, keep_best="validation_loss")
    model.save(run.folder / "model.keras")
    labels, logits = trainable.validate()
    # Evaluations choose thresholds by these.
    rows = list(zip(labels.tolist(), probabilities_of(logits).tolist(), strict=True))
    run.write_table(VALIDATION, ("label", "probability"), rows)
    best = min(history, key=lambda row: row["validation_loss"])
    return {
        "validation_accuracy": best["validation_accuracy"],
        "validation_loss": best["validation_loss"],
        "training_loss": best["loss"],
        "best_epoch": best["epoch"],
        "reviews_per_second": len(history) * len(training) / sum(row["seconds"] for row in history),
    }


def evaluate(run: Run) -> dict[str, float]:
    """Measure a model on test reviews, at a threshold that was chosen on its validation reviews.

    The test reviews are those that the training left alone, or, of other data than it was trained on, the
    part those keep for testing, or all of them.

    Raises:
        InvalidData: the reviews cannot be used.
        Cancelled: the run was asked to stop.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, SentimentEvaluate)
    # scikit-learn, which no training needs, takes 66 MB and half a second.
    from worker import review_evaluation as evaluation

    trained = run.source.job
    scorer, vocabulary, reading = load_scorer(run.source)
    source = open_source(run, run.spec.data or trained["spec"]["data"] or parameters.default_data)
    reviews = load_set(run, source, Recipe(reading["length"], vocabulary))
    same = source.sha256 in {record["sha256"] for record in trained["data"].values()}
    test = np.flatnonzero(_measured(run, reviews, same))
    labels, tokens = reviews.labels[test], reviews.tokens.taken(test)
    if len(set(labels.tolist())) < 2:
        raise InvalidData(
            f"{source.name}: all reviews to measure by are {LABEL_NAMES[int(labels[0])]}; "
            "allowed: reviews of both labels"
        )
    run.data[source.name] |= {"measured_reviews": len(test)}

    run.progress(force=True, stage="measuring")
    logits = scorer.logits(tokens, run.check_stop)
    probabilities = probabilities_of(logits)
    validation = validation_scores(run.source)
    threshold, chosen = _threshold(run, parameters, validation, reading["threshold"])
    run.progress(force=True, stage="making tables")
    measures = evaluation.measures(labels, probabilities, threshold)
    report = evaluation.class_report(labels, probabilities, threshold)
    run.write_table("classification_report.csv", ("class", "precision", "recall", "f1", "reviews"), report)
    run.write_table(
        "curves.csv",
        ("threshold", "precision", "recall", "f1", "false_positive_rate"),
        evaluation.curves(labels, probabilities),
    )
    run.write_table(
        "precision_price.csv",
        ("target", "threshold", "precision", "recall", "false_positives", "false_negatives"),
        evaluation.price_of_precision(validation, (labels, probabilities), threshold),
    )
    lengths = evaluation.by_length(labels, probabilities, threshold, tokens.lengths)
    run.write_table("by_length.csv", ("from", "to", "reviews", "accuracy"), lengths)
    names = [LABEL_NAMES[label] for label in labels]
    rows = list(zip((test + 1).tolist(), names, probabilities.tolist(), strict=True))
    run.write_table("predictions.csv", ("review", "label", "probability"), rows)
    wrong = evaluation.surest_errors(labels, probabilities, threshold, SUREST_ERRORS)
    texts = texts_at(source, test[wrong])
    write_json(
        run.folder / "surest_errors.json",
        [
            {
                "review": int(test[place]) + 1,
                "label": names[place],
                "probability": float(probabilities[place]),
                "words": int(tokens.lengths[place]),
                "text": review_parts.excerpt(texts[int(test[place])]),
            }
            for place in wrong
        ],
    )
    write_json(run.folder / READING, reading | {"threshold": threshold})
    return {
        **measures,
        **evaluation.intervals(measures, run.spec.seed),
        **chosen,
        "loss": cross_entropy(labels, logits),
        "reviews": len(test),
    }


def generate(run: Run) -> dict[str, float]:
    """Label reviews: `predictions.csv` has them all, the report the words that moved the first decisions.

    Raises:
        InvalidData: the reviews cannot be read.
        Cancelled: the run was asked to stop.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, SentimentGenerate)
    scorer, vocabulary, reading = load_scorer(run.source)
    threshold = parameters.threshold or reading["threshold"]
    labeller = Labeller(run, scorer, vocabulary, reading["length"], threshold)
    if run.spec.data is None:
        metrics = labeller.label(parameters.text)
    else:
        source = open_source(run, run.spec.data, labelled=False)
        metrics = labeller.label(review.text for review in source.read(run.note))
    return metrics | {"threshold": threshold}


def present(folder: JobFolder) -> Parts:
    """What the model's own part of a report shows."""
    match folder.job["spec"]["action"]:
        case "train":
            return review_parts.of_training(folder)
        case "evaluate":
            return review_parts.of_evaluation(folder)
        case _:
            return review_parts.of_labelling(folder)


def _measured(run: Run, reviews: ReviewSet, same: bool) -> NDArray[np.bool_]:
    """Which reviews the model is measured by."""
    if not same:
        run.note(
            "These are other data than the model was trained on: "
            + ("the part they keep for testing" if reviews.test.any() else "all of their reviews")
            + " is measured."
        )
        return reviews.test if reviews.test.any() else np.ones(len(reviews.labels), np.bool_)
    test = test_part(reviews)
    again = int(np.isin(reviews.keys[test], reviews.keys[~test]).sum())
    if again:
        run.note(
            f"Of the {int(test.sum()):,} test reviews {again:,} stand, word for word, among the training "
            "reviews as well: the data come so."
        )
    return test


def _threshold(
    run: Run,
    parameters: SentimentEvaluate,
    validation: tuple[NDArray[np.uint8], NDArray[np.float64]],
    default: float,
) -> tuple[float, dict[str, float]]:
    """The threshold that was asked for, and what it gave on the validation reviews."""
    from worker import review_evaluation as evaluation

    if parameters.target_precision is not None:
        name, target = "precision", parameters.target_precision
        choice = evaluation.threshold_for_precision(*validation, target)
    elif parameters.target_recall is not None:
        name, target = "recall", parameters.target_recall
        choice = evaluation.threshold_for_recall(*validation, target)
    else:
        return default, {}
    if not choice.reached:
        run.note(
            f"No threshold has a {name} of {target:.1%} on the validation reviews; taken was the one that "
            f"comes nearest, with {getattr(choice, name):.1%}."
        )
    if len(validation[0]) < FEW_TO_CHOOSE_BY:
        run.note(
            f"The threshold was chosen by only {len(validation[0]):,} validation reviews, so it is rough."
        )
    return choice.threshold, {
        f"target_{name}": target,
        "validation_precision": choice.precision,
        "validation_recall": choice.recall,
    }
