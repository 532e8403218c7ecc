"""What the reports of the review model show, read from a job's folder."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.folder import JobFolder
from worker.data.reviews import LABEL_NAMES
from worker.report import classification_figures as figures
from worker.report.parts import Part, Table, Text

MOST_WORDS = 5
"""Words shown for each decision."""

EXCERPT = 300


def excerpt(text: str) -> str:
    """A text on one line, printable, its beginning and its end if it is long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT // 2]} … {line[-EXCERPT // 2 :]}"


def of_training(folder: JobFolder) -> Iterator[Part]:
    """How the model treats a text."""
    stored = json.loads((folder.path / "sentiment.json").read_bytes())
    words = json.loads((folder.path / "vocabulary.json").read_bytes())["words"]
    yield Text(
        "How it reads a review",
        "In lower case, `<br />` taken for a space, as words: runs of letters and digits with apostrophes "
        f"inside. It knows the {len(words):,} most frequent words of the training reviews that appear at "
        f"least twice there, takes all others for one unknown word, and reads the last {stored['length']:,} "
        f"words of a review. It calls a review positive from the probability {stored['threshold']:g} up.",
    )
    yield Text("Its most frequent words", " ".join(words[:100]))


def of_evaluation(folder: JobFolder) -> Iterator[Part]:
    """What is right and wrong, what the threshold does, and where the model is surest and wrong."""
    metrics = folder.metrics
    curve = folder.numbers("curves.csv")
    yield figures.confusion(metrics, LABEL_NAMES, metrics["threshold"])
    yield Table(
        "Classification report",
        ("Class", "Precision", "Recall", "F1", "Reviews"),
        [
            (
                row["class"],
                *(float(row[name]) for name in ("precision", "recall", "f1")),
                round(float(row["reviews"])),
            )
            for row in folder.table("classification_report.csv")
        ],
        f"Accuracy {metrics['accuracy']:.4f}, with 95 % certainty between {metrics['accuracy_low']:.4f} and "
        f"{metrics['accuracy_high']:.4f}; F1 of the positive class {metrics['f1']:.4f}, between "
        f"{metrics['f1_low']:.4f} and {metrics['f1_high']:.4f} (bootstrap over the test reviews).",
    )
    yield figures.precision_recall(curve, metrics)
    yield figures.roc(curve, metrics)
    yield figures.thresholds(curve, metrics)
    prices = folder.numbers("precision_price.csv")
    yield Text("What the trade-off means here", _trade_off(metrics, prices))
    yield Table(
        "What precision costs",
        ("Precision asked for", "Threshold", "Precision", "Recall", "Wrongly positive", "Missed"),
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
        "Thresholds are chosen on validation reviews; what they give is measured on the test reviews.",
    )
    length = json.loads((folder.path / "sentiment.json").read_bytes())["length"]
    yield figures.by_length(folder.numbers("by_length.csv"), metrics["accuracy"], length)
    wrong = json.loads((folder.path / "surest_errors.json").read_bytes())
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


def of_labelling(folder: JobFolder) -> Iterator[Part]:
    """The first reviews with their labels, and the words that moved each decision most."""
    shown = json.loads((folder.path / "decisions.json").read_bytes())
    yield Table(
        "Labels, and the words that moved them most",
        ("Review", "Label", "Probability of positive", "Words", "Text"),
        [
            (
                row["review"],
                row["label"],
                row["probability"],
                _moved(row),
                row["text"],
            )
            for row in shown
        ],
        "Behind each word: the probability of positive without it, all its occurrences being replaced by the "
        "unknown word. The one that changes most comes first. "
        f"{int(folder.metrics['reviews']):,} reviews were labelled; predictions.csv has them all.",
    )


def _moved(row: Mapping[str, Any]) -> str:
    words = (f"{word['word']} ({word['probability_without']:.2f})" for word in row["words"][:MOST_WORDS])
    return ", ".join(words) or "–"


def _trade_off(metrics: Mapping[str, float], prices: list[dict[str, float]]) -> str:
    """The numbers at hand, in words."""
    wrong, missed = metrics["false_positives"], metrics["false_negatives"]
    sentences = [
        f"At the threshold {metrics['threshold']:.3f} the model calls "
        f"{metrics['true_positives'] + wrong:,.0f} of {metrics['reviews']:,.0f} test reviews positive. "
        f"{metrics['precision']:.1%} of them are (precision), and they are {metrics['recall']:.1%} of all "
        "that are positive (recall)."
    ]
    for name in ("precision", "recall"):
        if f"target_{name}" in metrics:
            sentences.append(
                f"Asked for was a {name} of {metrics[f'target_{name}']:.1%}: this threshold has "
                f"{metrics[f'validation_{name}']:.1%} on the validation reviews, where it was chosen, and "
                f"{metrics[name]:.1%} on the test reviews."
            )
    dearer = next((row for row in prices if row["target"] and row["false_positives"] < wrong), None)
    if dearer:
        fewer, more = wrong - dearer["false_positives"], dearer["false_negatives"] - missed
        sentences.append(
            f"At {dearer['threshold']:.3f}, which is for a precision of {dearer['target']:.0%}, "
            f"{dearer['false_positives']:,.0f} instead of {wrong:,.0f} would be called positive wrongly, and "
            f"{dearer['false_negatives']:,.0f} instead of {missed:,.0f} positive ones would be missed: "
            f"{more / fewer:.1f} more are missed for each one that is wrong no more."
        )
    sentences.append(
        "Raise the threshold where a review wrongly called positive is the worse mistake, lower it where a "
        "missed one is. Every labelling writes the probabilities, so any threshold can be applied to it."
    )
    return " ".join(sentences)
