"""What the character model's reports show, read from a job's folder."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from jobs.folder import JobFolder
from worker.report import text_figures
from worker.report.parts import Columns, Part, Table, Text


def of_training(folder: JobFolder) -> Iterator[Part]:
    """The characters that the model knows."""
    characters = json.loads((folder.path / "vocabulary.json").read_bytes())["characters"]
    shown = "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in characters
    )
    yield Text(f"The {len(characters):,} characters it knows", shown, monospace=True)


def of_evaluation(folder: JobFolder) -> Iterator[Part]:
    """Who wins, and where and how the model errs."""
    metrics = folder.metrics
    yield text_figures.comparison(metrics)
    yield Text("Does it beat a 5-gram?", _verdict(metrics["nats_per_character"], metrics["fivegram_nats"]))
    kinds = folder.table("kinds.csv")
    everything = sum(float(row["characters"]) * float(row["nats"]) for row in kinds)
    yield Table(
        "What it errs at",
        ("Kind", "Characters", "Nats each", "5-gram's nats each", "Share of all nats"),
        [
            (
                row["kind"],
                int(row["characters"]),
                float(row["nats"]),
                float(row["fivegram_nats"]),
                float(row["characters"]) * float(row["nats"]) / everything,
            )
            for row in kinds
        ],
    )
    places = folder.numbers("place_in_line.csv")
    if len(places) > 1:
        yield text_figures.by_place(places)
    yield text_figures.calibration(folder.numbers("calibration.csv"), metrics["calibration_error"])


def of_writing(folder: JobFolder) -> Iterator[Part]:
    """What temperature does, in numbers and in the texts."""
    temperatures = folder.numbers("temperatures.csv")
    yield Table(
        "What temperature does",
        ("Temperature", "Texts", "Words", "New in their text", "Sequences repeated", "Known to the corpus"),
        [
            (
                f"{row['temperature']:g}",
                int(row["texts"]),
                row["words"],
                row["different"],
                row["repeated"],
                row["known"],
            )
            for row in temperatures
        ],
        "Means over the texts of a temperature: how many words, the share that did not occur before in the "
        "text, the share of three-word sequences that did, and the share of words that are in the text the "
        "model was trained on.",
    )
    if len(temperatures) > 1:
        yield text_figures.temperature(sorted(temperatures, key=itemgetter("temperature")))
    written = json.loads((folder.path / "samples.json").read_bytes())
    first_of_each = [
        next(samples) for _, samples in groupby(written["samples"], key=itemgetter("temperature"))
    ]
    texts = [
        Text(f"Temperature {sample['temperature']:g}", written["prompt"] + sample["text"], monospace=True)
        for sample in first_of_each
    ]
    yield Columns("The texts" if len(texts) == len(written["samples"]) else "A text of each", texts)


def _verdict(network: float, fivegram: float) -> str:
    numbers = f"{network:.3f} against {fivegram:.3f} nats per character"
    if network < fivegram:
        return f"Yes: {numbers} on the same held-out text."
    return (
        f"No, the 5-gram wins: the network needs {numbers} on the same held-out text. More epochs or units, "
        "or a longer text, may turn that round."
    )
