"""What the character model's reports show, from a job's folder."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Block, Blocks, Columns, Table, Text
from worker.report.formatting import number
from worker.tasks.textgen import figures
from worker.tasks.textgen.artifacts import TEMPERATURES, VOCABULARY, read_samples
from worker.tasks.textgen.seen_text import MOST_SEEN

_SAME = 0.0005
"""Nats per character; a smaller difference vanishes in three decimals."""


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
    """How hard the validation text is, and the characters that the model knows."""
    if "ngram_held_out_nats" in folder.metrics:
        yield _validation(folder.metrics)
    characters = folder.json(VOCABULARY)["characters"]
    printable = "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in characters
    )
    yield Text(f"Vocabulary, {len(characters):,} characters", printable, monospace=True)


def _evaluation(folder: JobFolder) -> Iterator[Block]:
    """The comparison with n-grams, where the model errs, and its calibration."""
    metrics = folder.metrics
    ngrams = _ngrams(metrics)
    network = metrics["nats_per_character"]
    yield figures.comparison(
        {"character frequencies": ngrams.frequencies, ngrams.name: ngrams.nats, "this network": network}
    )
    yield Text("Does it beat n-grams?", _verdict(network, ngrams, metrics))
    yield _kinds(folder, ngrams)
    places = folder.numbers("place_in_line.csv")
    if len(places) > 1:
        yield figures.by_place(places, ngrams.name, ngrams.column)
    yield figures.calibration(folder.numbers("calibration.csv"), metrics["calibration_error"])


def _generation(folder: JobFolder) -> Iterator[Block]:
    """The texts, and what temperature does to their words where they have any."""
    written = read_samples(folder)
    first_of_each = [
        next(samples) for _, samples in groupby(written["samples"], key=itemgetter("temperature"))
    ]
    texts = [
        Text(f"Temperature {sample['temperature']:g}", written["prompt"] + sample["text"], monospace=True)
        for sample in first_of_each
    ]
    all_shown = len(texts) == len(written["samples"])
    yield Columns("Texts" if all_shown else "The first text at each temperature", texts)
    if not (folder.path / TEMPERATURES).exists():
        return
    temperatures = folder.numbers(TEMPERATURES)
    yield _temperatures(temperatures)
    if len(temperatures) > 1:
        yield figures.temperature(sorted(temperatures, key=itemgetter("temperature")))


class _NGrams(NamedTuple):
    """What an evaluation compared its network with.

    Attributes:
        name: of the n-grams, with their order and their smoothing.
        nats: theirs per character.
        frequencies: the nats per character of how frequent each character is.
        column: of the tables, that with their nats.
    """

    name: str
    nats: float
    frequencies: float
    column: str


def _ngrams(metrics: dict[str, float]) -> _NGrams:
    if "fivegram_nats" in metrics:  # of version 0.1
        return _NGrams(
            "5-gram with Witten-Bell smoothing",
            metrics["fivegram_nats"],
            metrics["unigram_nats"],
            "fivegram_nats",
        )
    return _NGrams(
        f"{metrics['ngram_order']:.0f}-gram with modified Kneser-Ney smoothing",
        metrics["ngram_nats"],
        metrics["baseline_nats_per_character"],
        "ngram_nats",
    )


def _validation(metrics: dict[str, float]) -> Table:
    """Validation text beside held-out text, by what has read neither."""
    network, validation, held_out = (
        metrics[name] for name in ("validation_nats", "ngram_validation_nats", "ngram_held_out_nats")
    )
    harder = held_out - validation
    if abs(harder) < _SAME:
        text = "The n-gram finds validation text and held-out text equally hard."
    else:
        text = (
            f"The n-gram finds the validation text {'easier' if harder > 0 else 'harder'} than the held-out "
            f"text, by {abs(harder):.3f} nats per character; for the network it may be more or less."
        )
    if network - validation >= _SAME:
        text += (
            f" On validation text the n-gram is better than the network, by {network - validation:.3f} nats "
            f"per character.{_remedy(network, metrics['baseline_validation_nats'])}"
        )
    return Table(
        "How validation text compares with held-out text",
        ("Nats per character", "Validation text", "Held-out text"),
        [
            ("this network", f"{network:.3f}", "measured by an evaluation"),
            (
                f"{metrics['ngram_order']:.0f}-gram of the training text",
                f"{validation:.3f}",
                f"{held_out:.3f}",
            ),
            ("character frequencies", f"{metrics['baseline_validation_nats']:.3f}", ""),
        ],
        f"{text} Validation text is taken from ten places amid the training text; the held-out text is the "
        "last tenth. The n-gram has modified Kneser-Ney smoothing, and the order that is best on validation "
        "text.",
    )


def _verdict(network: float, ngrams: _NGrams, metrics: dict[str, float]) -> str:
    characters, seen = metrics["characters"], metrics.get("seen_characters", 0)
    if seen > MOST_SEEN * characters:
        return (
            f"This text cannot tell: {seen:,.0f} of the {characters:,.0f} measured characters stand in "
            "passages that the model was trained on. Evaluate it on a text that it has not read."
        )
    numbers = (
        f"the network needs {network:.3f} nats per character, and the {ngrams.name} {ngrams.nats:.3f}, on "
        f"the same {characters:,.0f} characters"
    )
    low = high = ngrams.nats - network
    if "ngram_gain" in metrics:
        low, high = metrics["ngram_gain_low"], metrics["ngram_gain_high"]
        aside = f", {seen:,.0f} in passages of the training text left aside" if seen else ""
        gain, *ends = (number(value, 3) for value in (metrics["ngram_gain"], low, high))
        numbers += f". The gain is {gain}, 95 % interval {' to '.join(ends)}{aside}"
    if low > _SAME:
        return f"Yes: {numbers}."
    if high < -_SAME:
        return f"No: {numbers}.{_remedy(network, ngrams.frequencies)}"
    return f"Not clearly, nor are n-grams clearly better: {numbers}."


def _remedy(network: float, frequencies: float) -> str:
    """What may help a network that n-grams beat; nothing for one that has learned nothing."""
    if network >= frequencies:
        return ""
    return " More epochs or units, or more text like this to train on, may change that."


def _kinds(folder: JobFolder, ngrams: _NGrams) -> Table:
    kinds = folder.table("kinds.csv")
    total = sum(float(row["characters"]) * float(row["nats"]) for row in kinds)
    return Table(
        "Error by kind of character",
        ("Kind", "Characters", "Nats per character", "N-gram's nats per character", "Share of all nats"),
        [
            (
                row["kind"],
                int(row["characters"]),
                float(row["nats"]),
                float(row[ngrams.column]),
                float(row["characters"]) * float(row["nats"]) / total,
            )
            for row in kinds
        ],
    )


def _temperatures(rows: list[dict[str, float]]) -> Table:
    return Table(
        "Effect of temperature",
        ("Temperature", "Texts", "Words", "New in their text", "Sequences repeated", "Known"),
        [
            (
                f"{row['temperature']:g}",
                int(row["texts"]),
                f"{row['words']:.{int(row['texts'] > 1)}f}",
                *(f"{row[name]:.3f}" for name in ("different", "repeated", "known")),
            )
            for row in rows
        ],
        "Means over the texts of a temperature that have words: the number of words, the share that had not "
        "occurred before in the text, the share of three-word sequences that had, and the share of words "
        "that are among the 100,000 most frequent of the training text's first 5,000,000 characters.",
    )
