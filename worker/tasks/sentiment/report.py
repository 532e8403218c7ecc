"""What the review model's reports show, from a job's folder."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.store.job_folder import JobFolder
from jobs.wording import counted
from worker.report.blocks import Block, Blocks, Figure, Table, Text
from worker.tasks.sentiment import artifacts, figures
from worker.tasks.sentiment.confusion import MEASURES, Confusion, Target
from worker.tasks.sentiment.parts import SplitBy
from worker.tasks.sentiment.reviews import LABEL_NAMES
from worker.tasks.sentiment.threshold_texts import target_text, trade_off_text
from worker.tasks.sentiment.vocabulary import Vocabulary
from worker.tasks.sentiment.wording import percent, rounded, rounded_percent, threshold_text

MOST_WORDS = 5
"""Words shown for each decision."""


_HOW_CHOSEN: dict[SplitBy, str] = {
    "group": "One in ten groups of films, chosen by the seed, validates: hardly any film has reviews both in "
    "training and in validation. What is measured here, and what evaluations choose thresholds by, is then "
    "what the model makes of reviews of films that it has not seen, as IMDB's test reviews are.",
    "text": "A tenth of the different reviews of each label that are not for testing validate, chosen by a "
    "checksum of their text and the seed. If several reviews are of one film or product, some of them are "
    "likely in training and others in validation: on reviews of new ones, expect somewhat lower numbers than "
    "those measured here, and targets to be missed more often.",
}


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
    words = Vocabulary.read(folder.path / artifacts.VOCABULARY).words
    if "validation_reviews" in folder.metrics:
        yield Text("The classes", _classes(folder.metrics))
    for record in folder.job["data"].values():
        if "split_by" in record:  # not in version 0.1
            yield Text("How validation reviews are chosen", _HOW_CHOSEN[record["split_by"]])
    yield Text(
        "How it reads a review",
        "HTML entities and backslash escapes are read as the characters that they stand for, the text is "
        "converted to lower case, a tag such as `<br />` counts as a space, and words are runs of letters "
        "and digits with apostrophes inside. The model reads the last "
        f"{reading['length']:,} words of a review. It knows the {len(words):,} words that are most frequent "
        "there in the training reviews, those that appear once left out; every other word is read as the "
        "same unknown word. It calls a review positive if the probability is at least "
        f"{threshold_text(reading['threshold'])}.",
    )
    yield Text("Its most frequent words", " ".join(words[:100]))


def _classes(metrics: Mapping[str, float]) -> str:
    """How many reviews of each class there are, and what they make of a constant answer."""
    parts = []
    for part in ("training", "validation"):
        positive, count = metrics[f"positive_{part}_reviews"], metrics[f"{part}_reviews"]
        reviews = counted(int(count), f"{part} review")
        parts.append(f"{positive:,.0f} of the {reviews} are positive ({rounded_percent(positive, count)})")
    return (
        f"{' and '.join(parts)}. Calling every validation review what most of them are has an accuracy of "
        f"{rounded(metrics['baseline_validation_accuracy'])} and a balanced accuracy of 0.5; the model has "
        f"{rounded(metrics['validation_accuracy'])} and {rounded(metrics['validation_balanced_accuracy'])}."
    )


def _evaluation(folder: JobFolder) -> Iterator[Block]:
    """What is right and wrong, what the threshold does, and the model's most confident mistakes."""
    metrics = folder.metrics
    counts = Confusion(*(int(metrics[name]) for name in Confusion._fields))
    if any(f"target_{name}" in metrics for name in ("precision", "recall")):
        yield Text("What was asked for", target_text(metrics))
    yield _constants(counts, metrics)
    yield figures.confusion(metrics, LABEL_NAMES, metrics["threshold"])
    yield _class_report(folder, metrics)
    curve = folder.numbers(artifacts.CURVES)
    yield figures.precision_recall(curve, metrics)
    yield figures.roc(curve, metrics)
    yield figures.thresholds(curve, metrics)
    target: Target = "recall" if (folder.path / artifacts.PRICES["recall"]).exists() else "precision"
    prices = folder.numbers(artifacts.PRICES[target])
    yield Text("What the trade-off means here", trade_off_text(metrics, prices, target))
    yield _prices(prices, target)
    yield _by_length(folder, metrics)
    wrong = folder.json(artifacts.SUREST_ERRORS)
    if wrong:
        yield Table(
            "Its most confident mistakes",
            ("Review", "Is", "Probability of positive", "Words", "Text"),
            [
                (row["review"], row["label"], row["probability"], row["words"], f"“{row['text']}”")
                for row in wrong
            ],
            "Reviews on the wrong side of the threshold, those with the least probability of their label "
            "first. The label may be wrong as well: read the text.",
        )


def _constants(counts: Confusion, metrics: Mapping[str, float]) -> Table:
    """The model beside the answers that need none: what the classes' shares alone are worth."""
    at_half = {
        name.removesuffix("_at_half"): value for name, value in metrics.items() if name.endswith("_at_half")
    }
    everything = Confusion(0, counts.negatives, 0, counts.positives)
    nothing = Confusion(counts.negatives, 0, counts.positives, 0)
    rows = [
        (f"this model at {threshold_text(metrics['threshold'])}", counts.measures()),
        *([("this model at 0.5", at_half)] if at_half else []),
        ("every review called positive", everything.measures()),
        ("every review called negative", nothing.measures()),
    ]
    return Table(
        "Beside constant answers",
        ("Answer", "Balanced accuracy", "Accuracy", "Precision", "Recall", "F1"),
        [
            (name, *(rounded(values[measure]) if measure in values else "–" for measure in MEASURES))
            for name, values in rows
        ],
        f"{counts.positives:,} of the {counted(counts.reviews, 'test review')} are positive "
        f"({rounded_percent(counts.positives, counts.reviews)}). Balanced accuracy, the mean of the shares "
        "of positive and of negative reviews that are called what they are, is 0.5 for any constant answer.",
    )


def _class_report(folder: JobFolder, metrics: Mapping[str, float]) -> Table:
    scores = ("precision", "recall", "f1")
    return Table(
        "Classification report",
        ("Class", "Precision", "Recall", "F1", "Reviews"),
        [
            (
                row["class"],
                *(float(row[name]) if row[name] else "–" for name in scores),
                _count(row["reviews"]),
            )
            for row in folder.table(artifacts.CLASS_REPORT)
        ],
        f"At the threshold {threshold_text(metrics['threshold'])}. F1 of the positive class: "
        f"{rounded(metrics['f1'])}, 95 % interval {rounded(metrics['f1_low'])} to "
        f"{rounded(metrics['f1_high'])}.",
    )


def _count(text: str) -> int:
    return round(float(text))


def _prices(prices: list[dict[str, float]], target: Target) -> Block:
    if not prices:
        return Text(
            f"What {target} costs",
            "The model calls no test review positive at the threshold in use, and the validation reviews "
            f"show no threshold with a high {target} at which it does.",
        )
    extreme = "lowest" if target == "precision" else "highest"
    return Table(
        f"What {target} costs",
        (f"Target {target}", "Threshold", "Precision", "Recall", "Wrongly positive", "Missed"),
        [
            (
                percent(row["target"]) if row["target"] else "threshold in use",
                threshold_text(row["threshold"]),
                row["precision"],
                row["recall"],
                int(row["false_positives"]),
                int(row["false_negatives"]),
            )
            for row in prices
        ],
        f"Each threshold is the {extreme} with that {target} at 95 % confidence by the validation reviews; a "
        f"{target} that they cannot show has no row. The other columns are measured on the test reviews.",
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
            (row["review"], row["label"] or "–", row["probability"], _moved(row), row["text"])
            for row in folder.json(artifacts.DECISIONS)
        ],
        "After each word: the probability of positive with all its occurrences replaced by the unknown word. "
        "The word that changes it most comes first. "
        f"Reviews labelled: {int(folder.metrics['reviews']):,}; {artifacts.PREDICTIONS} has all of them.",
    )


def _moved(row: Mapping[str, Any]) -> str:
    words = (f"{word['word']} ({word['probability_without']:.2f})" for word in row["words"][:MOST_WORDS])
    return ", ".join(words) or "–"
