"""How work and memory grow: with reviews, text and images, with jobs, and with the trials of a sweep.

Draws `benchmarks/growth.svg`. Run: `python -m benchmarks.growth [--short]`.
"""

import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import real_data_folder
from benchmarks.growth_curve import FITTED, Curve, draw
from benchmarks.growth_data import PIECE, GrowthData
from benchmarks.growth_jobs import measure_jobs, measure_rebuild
from benchmarks.growth_sweeps import measure_sweeps
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders
from benchmarks.sides import Side
from jobs.ids import new_job_id
from jobs.settings import Settings

PICTURE = Path(__file__).with_suffix(".svg")
MOST_EXPONENT = 1.1
MOST_HELD = 4.0
"""Bytes of memory that a training job may take for each byte of its data."""

MOST_LABELLING = 1.2
"""Memory of labelling many reviews beside that of a few."""

LABELLING = "sentiment, labelling"
UNITS, STREAMS = 16, 1_024
"""Of the character model, and in its batches: few and cheap steps, so that a text takes less time."""


@dataclass(frozen=True)
class Sizes:
    """How much there is of each.

    Attributes:
        training: reviews to train on.
        model: those of them after which the model labels.
        labelled: reviews to label.
        text: bytes to train on.
        begun: bytes to read and to begin to train on.
        images: to train on.
        jobs: that have ended.
        restored: jobs that a rebuild restores.
        trials: of a sweep.
    """

    training: tuple[int, ...] = (1_000, 10_000, 100_000)
    model: int = 10_000
    labelled: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    text: tuple[int, ...] = (2_000_000, 10_000_000, 20_000_000)
    begun: tuple[int, ...] = (1_000_000, 10_000_000, 100_000_000)
    images: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    jobs: tuple[int, ...] = (10, 100, 1_000, 10_000, 100_000)
    restored: tuple[int, ...] = (10, 100, 1_000, 5_000)
    trials: tuple[int, ...] = (10, 100, 500, 2_000)


SHORT = Sizes(
    (100, 400),
    400,
    (100, 400),
    (20_000, 60_000),
    (20_000, 60_000),
    (200, 800),
    (10, 100),
    (10, 100),
    (10, 30),
)


def measure(row: Row) -> None:
    """Do each piece of work at all of its sizes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no folder stays
    sizes = SHORT if row.short else Sizes()
    on_data = _jobs_on_data(sizes, row.short)
    curves = [
        *on_data,
        *measure_jobs(sizes.jobs),
        measure_rebuild(sizes.restored),
        *measure_sweeps(sizes.trials),
    ]
    for curve in curves:
        row.figure(f"{curve.name}, {curve.sizes[-1]:,} {curve.counted}", "s", [curve.seconds[-1]])
    for curve in on_data:
        row.figure(f"{curve.name}, {curve.sizes[-1]:,} {curve.counted}: memory", "MB", [curve.memory[-1]])
    steepest = max(curves, key=lambda curve: curve.exponent)
    row.judge(f"exponent of the steepest curve, {steepest.name}", steepest.exponent, "≤", MOST_EXPONENT, "")
    _judge_memory(row, on_data)
    for curve in curves:
        row.note(curve.described())
    _explain(row)
    if not row.short:
        draw(curves, PICTURE)
        row.note(f"![Seconds and memory against sizes]({PICTURE.name})")


def _jobs_on_data(sizes: Sizes, short: bool) -> list[Curve]:
    """Train and label, each time in a process of its own; in a short row, one does all jobs of a model."""
    training = Curve("sentiment, an epoch", "reviews")
    labelling = Curve(LABELLING, "reviews")
    text = Curve("textgen, an epoch", "bytes")
    begun = Curve("textgen, until the first step", "bytes")
    images = Curve("autoencoder, an epoch", "images")
    with folders(None if short else real_data_folder()) as settings, ExitStack() as stack:
        data, models = GrowthData(settings, short=short), dict[int, Path]()
        job = _Jobs(settings, stack if short else None).do
        for size in sizes.training:
            models[size] = job(training, size, data.reviews(size), "sentiment", epochs=1)
        source = models[sizes.model]
        for size in sizes.labelled:
            job(labelling, size, data.reviews(size), "sentiment", source)
        for size in sizes.text:
            job(text, size, data.text(size), "textgen", epochs=1, units=UNITS, batch_size=STREAMS)
        for size in sizes.begun:
            path = data.text(size)
            job(begun, size, path, "textgen", begin_only=True, units=UNITS, batch_size=STREAMS)
        for size in sizes.images:
            job(images, size, data.images(size), "autoencoder", epochs=1)
    return [training, labelling, text, begun, images]


class _Jobs:
    """Does jobs in processes without a queue."""

    def __init__(self, settings: Settings, kept: ExitStack | None) -> None:
        """Nothing is started yet.

        Args:
            settings: name the folders.
            kept: ends one process for each model, which does all of its jobs; None: each job has its own.
        """
        self._settings, self._kept = settings, kept
        self._sides: dict[str, Side] = {}

    def do(
        self,
        curve: Curve,
        size: int,
        data: Path,
        model: str,
        source: Path | None = None,
        *,
        begin_only: bool = False,
        **parameters: int,
    ) -> Path:
        """Do one job on a file, which is removed then; the folder that it leaves."""
        folder = self._settings.results_dir / new_job_id()
        folder.mkdir(parents=True)
        with self._side(model) as side:
            took = side.ask(
                "work",
                data=str(data),
                folder=str(folder),
                source=source and str(source),
                begin_only=begin_only,
                **parameters,
            )
        curve.add(size, took["seconds"], took["memory"], data.stat().st_size / 1e6)
        data.unlink()
        return folder

    def _side(self, model: str) -> AbstractContextManager[Side]:
        side = self._sides.get(model)
        if side is None:
            side = Side("benchmarks.growth_task", model=model, data_dir=self._settings.data_dir)
            if self._kept is None:
                return side
            self._sides[model] = self._kept.enter_context(side)
        return nullcontext(side)


def _judge_memory(row: Row, curves: Sequence[Curve]) -> None:
    """Labelling holds no more for more reviews; training holds its data, so many times."""
    for curve in curves:
        (*_, before, most), (*_, small, large) = curve.memory, curve.data
        if curve.name == LABELLING:
            row.judge(f"{curve.name}: memory of all beside a tenth", most / before, "≤", MOST_LABELLING)
        else:
            held = (most - before) / (large - small)
            row.judge(f"{curve.name}: memory that grows, beside the data's bytes", held, "≤", MOST_HELD)


def _explain(row: Row) -> None:
    row.note(
        "An exponent is the slope of a line through the logarithms of sizes and seconds, by least squares, "
        f"from 1/{FITTED} of the largest size on. Where much of the seconds is fixed (compiling, starting a "
        "process), it is lower than that of what grows."
    )
    row.note(
        f"Reviews are parts of IMDB's, from random places on, of at most {PIECE} characters, in a CSV file; "
        "the text is a row of such parts; images are MNIST's, shifted, in an `.npz`. Seconds are those of "
        "the whole task with its files: not of the process' start, the import of TensorFlow or the report. "
        "Memory is `VmHWM` and what the process that tokenises beside it holds."
    )
    row.note(
        f"To save time, training on reviews ends at {Sizes.training[-1]:,}, and on text at "
        f"{Sizes.text[-1] / 1e6:g} MB, with {UNITS} units and {STREAMS:,} streams; what comes before the "
        "first step is measured up to 100 MB. The steps are equal, however long the text is. The n-grams "
        "that the network is compared with count four million characters at most: some 300 MB, however much "
        "text there is beyond."
    )
    row.note(
        "Ended jobs are in the ledger and in the index, 8,640 a day, and have folders; one in ten has "
        "trained. Then one more is submitted, claimed, published and ended, and the page brought up to "
        "date: the median of five times. `quartet list` shows the newest thousand."
    )
    row.note(
        "To advance a sweep by a trial reads and writes all that Redis and its file have of it, so the time "
        "for all trials grows with their square: half of what is shown, for each of them."
    )


if __name__ == "__main__":
    run("growth", "Growth", measure)
