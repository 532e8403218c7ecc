"""What the character model's reports show, from a job's folder."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Block, Blocks, Columns, Table, Text
from worker.tasks.textgen import figures
from worker.tasks.textgen.artifacts import VOCABULARY


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
    """The characters that the model knows."""
    characters = folder.json(VOCABULARY)["characters"]
    printable = "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in characters
    )
    yield Text(f"Vocabulary, {len(characters):,} characters", printable, monospace=True)


def _evaluation(folder: JobFolder) -> Iterator[Block]:
    """The comparison with n-grams, where the model errs, and its calibration."""
    metrics = folder.metrics
    yield figures.comparison(metrics)
    yield Text("Does it beat a 5-gram?", _verdict(metrics["nats_per_character"], metrics["fivegram_nats"]))
    yield _kinds(folder)
    places = folder.numbers("place_in_line.csv")
    if len(places) > 1:
        yield figures.by_place(places)
    yield figures.calibration(folder.numbers("calibration.csv"), metrics["calibration_error"])


def _generation(folder: JobFolder) -> Iterator[Block]:
    """What temperature does, in numbers and in the texts."""
    temperatures = folder.numbers("temperatures.csv")
    yield _temperatures(temperatures)
    if len(temperatures) > 1:
        yield figures.temperature(sorted(temperatures, key=itemgetter("temperature")))
    written = folder.json("samples.json")
    first_of_each = [
        next(samples) for _, samples in groupby(written["samples"], key=itemgetter("temperature"))
    ]
    texts = [
        Text(f"Temperature {sample['temperature']:g}", written["prompt"] + sample["text"], monospace=True)
        for sample in first_of_each
    ]
    all_shown = len(texts) == len(written["samples"])
    yield Columns("Texts" if all_shown else "The first text at each temperature", texts)


def _verdict(network: float, fivegram: float) -> str:
    numbers = f"{network:.3f} against {fivegram:.3f} nats per character"
    if network < fivegram:
        return f"Yes: {numbers} on the same held-out text."
    return (
        f"No, the 5-gram wins: the network needs {numbers} on the same held-out text. More epochs or units, "
        "or a longer text, may change that."
    )


def _kinds(folder: JobFolder) -> Table:
    kinds = folder.table("kinds.csv")
    total = sum(float(row["characters"]) * float(row["nats"]) for row in kinds)
    return Table(
        "Error by kind of character",
        ("Kind", "Characters", "Nats each", "5-gram's nats each", "Share of all nats"),
        [
            (
                row["kind"],
                int(row["characters"]),
                float(row["nats"]),
                float(row["fivegram_nats"]),
                float(row["characters"]) * float(row["nats"]) / total,
            )
            for row in kinds
        ],
    )


def _temperatures(rows: list[dict[str, float]]) -> Table:
    return Table(
        "Effect of temperature",
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
            for row in rows
        ],
        "Means over the texts of a temperature: the number of words, the share that had not occurred before "
        "in the text, the share of three-word sequences that had, and the share of words that occur in the "
        "text the model was trained on.",
    )
