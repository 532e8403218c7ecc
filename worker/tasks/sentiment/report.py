"""What the review model's reports show, from a job's folder."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Block, Blocks, Figure, Table, Text
from worker.tasks.sentiment import artifacts, figures
from worker.tasks.sentiment.reviews import LABEL_NAMES

MOST_WORDS = 5
"""Words shown for each decision."""


def present(folder: JobFolder) -> Blocks:
    """Yield what the report shows of a finished job: figures, tables and texts.

    Args:
        folder: of the job.

    Raises:
        DamagedFolder: a JSON file of the folder cannot be read.
    """
    match folder.job["spec"]["action"]:
        case "train":
            return _training(folder)
        case "evaluate":
            return _evaluation(folder)
        case _:
            return _generation(folder)


def _training(folder: JobFolder) -> Iterator[Block]:
    """How the model reads a text."""
    reading = folder.json(artifacts.READING)
    words = folder.json(artifacts.VOCABULARY)["words"]
    yield Text(
        "How it reads a review",
        "The text is converted to lower case, `<br />` counts as a space, and words are runs of letters and "
        f"digits with apostrophes inside. The model knows the {len(words):,} most frequent words that appear "
        "at least twice in the training reviews, takes any other word for one unknown word, and reads the "
        f"last {reading['length']:,} words of a review. It calls a review positive if the probability is at "
        f"least {reading['threshold']:g}.",
    )
    yield Text("Its most frequent words", " ".join(words[:100]))


def _evaluation(folder: JobFolder) -> Iterator[Block]:
    """What is right and wrong, what the threshold does, and where the model is surest and wrong."""
    metrics = folder.metrics
    yield figures.confusion(metrics, LABEL_NAMES, metrics["threshold"])
    yield _class_report(folder, metrics)
    curve = folder.numbers(artifacts.CURVES)
    yield figures.precision_recall(curve, metrics)
    yield figures.roc(curve, metrics)
    yield figures.thresholds(curve, metrics)
    prices = folder.numbers(artifacts.PRECISION_PRICE)
    yield Text("What the trade-off means here", _trade_off(metrics, prices))
    yield _prices(prices)
    yield _by_length(folder, metrics)
    wrong = folder.json(artifacts.SUREST_ERRORS)
    if wrong:
        yield Table(
            "Where it is surest and wrong",
            ("Review", "Is", "Probability of positive", "Words", "Text"),
            [
                (row["review"], row["label"], row["probability"], row["words"], f"“{row['text']}”")
                for row in wrong
            ],
            "Some of these labels are arguable: an ironic review, or one whose stars contradict its words.",
        )


def _class_report(folder: JobFolder, metrics: Mapping[str, float]) -> Table:
    scores = ("precision", "recall", "f1")
    return Table(
        "Classification report",
        ("Class", "Precision", "Recall", "F1", "Reviews"),
        [
            (row["class"], *(float(row[name]) for name in scores), round(float(row["reviews"])))
            for row in folder.table(artifacts.CLASS_REPORT)
        ],
        f"Accuracy {metrics['accuracy']:.4f}, 95 % interval {metrics['accuracy_low']:.4f} to "
        f"{metrics['accuracy_high']:.4f}; F1 of the positive class {metrics['f1']:.4f}, 95 % interval "
        f"{metrics['f1_low']:.4f} to {metrics['f1_high']:.4f} (bootstrap over the test reviews).",
    )


def _prices(prices: list[dict[str, float]]) -> Table:
    return Table(
        "What precision costs",
        ("Target precision", "Threshold", "Precision", "Recall", "Wrongly positive", "Missed"),
        [
            (
                f"{row['target']:.0%}" if row["target"] else "threshold in use",
                row["threshold"],
                row["precision"],
                row["recall"],
                int(row["false_positives"]),
                int(row["false_negatives"]),
            )
            for row in prices
        ],
        "Thresholds are chosen on validation reviews; the other columns are measured on the test reviews.",
    )


def _by_length(folder: JobFolder, metrics: Mapping[str, float]) -> Figure:
    length = folder.json(artifacts.READING)["length"]
    return figures.by_length(folder.numbers(artifacts.BY_LENGTH), metrics["accuracy"], length)


def _generation(folder: JobFolder) -> Iterator[Block]:
    """The first reviews with their labels, and the words that moved each decision most."""
    yield Table(
        "Labels, and the words that moved them most",
        ("Review", "Label", "Probability of positive", "Words", "Text"),
        [
            (row["review"], row["label"], row["probability"], _moved(row), row["text"])
            for row in folder.json(artifacts.DECISIONS)
        ],
        "After each word: the probability of positive with all its occurrences replaced by the unknown word. "
        "The word that changes it most comes first. "
        f"Reviews labelled: {int(folder.metrics['reviews']):,}; {artifacts.PREDICTIONS} has all of them.",
    )


def _moved(row: Mapping[str, Any]) -> str:
    words = (f"{word['word']} ({word['probability_without']:.2f})" for word in row["words"][:MOST_WORDS])
    return ", ".join(words) or "–"


def _trade_off(metrics: Mapping[str, float], prices: list[dict[str, float]]) -> str:
    """The numbers at hand, in sentences."""
    called = metrics["true_positives"] + metrics["false_positives"]
    sentences = [
        f"At the threshold {metrics['threshold']:.3f} the model calls {called:,.0f} of "
        f"{metrics['reviews']:,.0f} test reviews positive. {metrics['precision']:.1%} of them are "
        f"(precision), and they are {metrics['recall']:.1%} of all that are positive (recall)."
    ]
    for name in ("precision", "recall"):
        if f"target_{name}" in metrics:
            sentences.append(
                f"The target was a {name} of {metrics[f'target_{name}']:.1%}: this threshold has "
                f"{metrics[f'validation_{name}']:.1%} on the validation reviews, where it was chosen, and "
                f"{metrics[name]:.1%} on the test reviews."
            )
    wrong = metrics["false_positives"]
    stricter = next((row for row in prices if row["target"] and row["false_positives"] < wrong), None)
    if stricter:
        sentences.append(_stricter(metrics, stricter))
    sentences.append(
        "Raise the threshold where a review wrongly called positive is the worse mistake, lower it where a "
        "missed one is. Every labelling job writes the probabilities, so any threshold can be applied."
    )
    return " ".join(sentences)


def _stricter(metrics: Mapping[str, float], row: Mapping[str, float]) -> str:
    """What a higher threshold gains and costs."""
    wrong, missed = metrics["false_positives"], metrics["false_negatives"]
    fewer, more = wrong - row["false_positives"], row["false_negatives"] - missed
    return (
        f"At {row['threshold']:.3f}, the threshold for a precision of {row['target']:.0%}, "
        f"{row['false_positives']:,.0f} instead of {wrong:,.0f} would be called positive wrongly, and "
        f"{row['false_negatives']:,.0f} instead of {missed:,.0f} positive ones would be missed: "
        f"{more / fewer:.1f} more missed for each mistake avoided."
    )
