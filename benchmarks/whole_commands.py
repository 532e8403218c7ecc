"""Seconds that whole commands of `quartet run` take, in turn with a process that imports TensorFlow.

Run: `python -m benchmarks.whole_commands [--short]`.
"""

import csv
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.data import OFFLINE, REAL, real_data_folder
from benchmarks.measuring import Row, pairs
from benchmarks.review_files import review_texts, write_reviews
from benchmarks.row_command import run
from benchmarks.service import folders, wait
from benchmarks.whole_command import whole_command
from jobs.client import Client
from jobs.local.supervisor import temporary_service
from jobs.settings import Settings

TURNS = 2
GOALS_IMPORT = 2.6
"""Seconds that the import took where the goals were set. A goal is as many times the import here, so that a
slower machine has longer."""

KINDS = {"autoencoder": "images", "denoiser": "images", "sentiment": "reviews", "textgen": "text"}
"""Each model -> the kind of its data."""

SHORT_COMMANDS, SHORT_MODELS = 2, ("autoencoder",)
"""The first commands, which are all that a short row runs, and the models that they need."""

TEXT_BYTES = 10_000_000
LABELLED = {1_000: 2.0, 10_000: 3.0, 100_000: 10.0}
"""Reviews in a file -> the seconds that labelling them may take beyond the import, where goals were set."""


@dataclass(frozen=True)
class Measured:
    """A command, and what was measured of it in each turn.

    Attributes:
        name: what it does.
        arguments: of `quartet run`.
        goal: the most seconds that it may take beyond the import and its own training, where goals were set.
        forgets: whether the tokens of earlier commands are removed before it.
        imports: seconds of the import before it.
        seconds: of the whole process.
        training: of the epochs that it trained, by its history.
    """

    name: str
    arguments: Sequence[str]
    goal: float
    forgets: bool = False
    imports: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)


def measure(row: Row) -> None:
    """Train each model once, then run each command once in a turn, each after an import of TensorFlow."""
    with folders(None if row.short else real_data_folder()) as settings:
        commands = _commands(settings, row.short)[: SHORT_COMMANDS if row.short else None]
        for _ in range(1 if row.short else TURNS):
            for command in commands:
                command.imports.append(_import_seconds())
                _run(command, settings)
    imports = [seconds for command in commands for seconds in command.imports]
    row.figure("a process that imports TensorFlow and ends", "s", imports)
    for command in commands:
        beyond = [
            whole - training - imported
            for whole, training, imported in zip(
                command.seconds, command.training, command.imports, strict=True
            )
        ]
        what = "import and training" if any(command.training) else "import"
        name = f"{command.name}, beyond {what}"
        row.figure(command.name, "s", command.seconds)
        row.figure(name, "s", beyond)
        row.judge(name, pairs(beyond, command.imports), "≤", command.goal / GOALS_IMPORT, "imports")
    row.limit("a command", min(imports), "s", "the quickest `import tensorflow` in a process of its own")
    row.note(
        "An import is that of TensorFlow in a process of its own, measured just before. The goals were set "
        f"in seconds on a machine where it takes {GOALS_IMPORT} s."
    )
    row.note(
        "Each command is a process of its own that starts a Redis and a worker and ends them; the models "
        "were trained before. Training is the sum of the epochs' seconds, so compiling counts as a cost."
    )
    row.note(
        f"The text has {TEXT_BYTES:,} characters of IMDB, all of which Shakespeare has too. 100,000 reviews "
        "are IMDB's 50,000 twice. First: no tokens of the reviews are in the data folder yet."
    )


def _import_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, capture_output=True)
    return time.perf_counter() - began


def _run(command: Measured, settings: Settings) -> None:
    if command.forgets:
        shutil.rmtree(settings.data_dir / "tokens", ignore_errors=True)
    done = whole_command(settings, "run", *command.arguments, "--fresh")
    history = Path(done.printed.strip()).with_name("history.csv")
    trained = 0.0
    if history.exists():
        with history.open(newline="") as file:
            trained = sum(float(epoch["seconds"]) for epoch in csv.DictReader(file))
    command.seconds.append(done.seconds)
    command.training.append(trained)


def _commands(settings: Settings, short: bool) -> list[Measured]:
    data, count = (OFFLINE, 20) if short else (REAL, 10_000)
    images, epochs = data["images"], 1 if short else 10
    trained = _trained(settings, data, SHORT_MODELS if short else KINDS)
    autoencoder, denoiser, critic, writer = (trained.get(model, "none") for model in KINDS)
    texts = review_texts(settings, data["reviews"])
    labelled = {20: 2.0} if short else LABELLED
    for number in labelled:
        write_reviews(settings.data_dir / f"{number}.csv", texts, number)
    text = _write_text(settings.data_dir / "text.txt", texts, 20_000 if short else TEXT_BYTES)
    reviews = f"`sentiment evaluate`, reviews of {data['reviews']}"
    return [
        Measured(
            f"`autoencoder train --epochs {epochs}` on {images}",
            ("autoencoder", "train", "--data", images, "--epochs", str(epochs)),
            1.5,
        ),
        Measured("`autoencoder evaluate`", ("autoencoder", "evaluate", "--from", autoencoder), 2.5),
        Measured(
            "`denoiser evaluate --baseline`",
            ("denoiser", "evaluate", "--from", denoiser, "--baseline", autoencoder),
            5.0,
        ),
        Measured(
            f"`denoiser generate --count {count}`",
            ("denoiser", "generate", "--from", denoiser, "--count", str(count)),
            4.0,
        ),
        Measured(f"{reviews}, first", ("sentiment", "evaluate", "--from", critic), 6.0, forgets=True),
        Measured(f"{reviews}, again", ("sentiment", "evaluate", "--from", critic), 6.0),
        *(
            Measured(
                f"label {number:,} reviews",
                (
                    "sentiment",
                    "generate",
                    "--from",
                    critic,
                    "--data",
                    str(settings.data_dir / f"{number}.csv"),
                ),
                goal,
            )
            for number, goal in labelled.items()
        ),
        Measured(
            f"`textgen evaluate`, {text.stat().st_size / 1e6:g} MB",
            ("textgen", "evaluate", "--from", writer, "--data", str(text)),
            5.0,
        ),
    ]


def _trained(settings: Settings, data: dict[str, str], models: Iterable[str]) -> dict[str, str]:
    """Train each of these models for an epoch: its name -> the id of the job."""
    with temporary_service(settings) as service:
        client = Client(service.settings)
        submitted = {
            model: client.submit(model, "train", data=data[KINDS[model]], epochs=1).id for model in models
        }
        return {model: wait(client, job_id).id for model, job_id in submitted.items()}


def _write_text(path: Path, texts: Sequence[str], size: int) -> Path:
    """A text of characters that the model knows, so that all of it is measured."""
    known = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.;:!?'-\n")
    pieces, left = [], size
    for text in itertools.cycle(texts):
        piece = "".join(character for character in text if character in known)[: left - 1] + "\n"
        pieces.append(piece)
        left -= len(piece)
        if left <= 0:
            break
    path.write_text("".join(pieces), encoding="utf-8")
    return path


if __name__ == "__main__":
    run("whole_commands", "Whole commands", measure)
