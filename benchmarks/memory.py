"""Peak memory of training each model: the notebook's process beside the worker's.

Run: `python -m benchmarks.memory [--short]`.
"""

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.data import NOISE, OFFLINE, REAL, prepared, real_data_folder
from benchmarks.measuring import Row, pairs
from benchmarks.row_command import run
from benchmarks.sides import Side

RUNS = 3
"""Memory hardly differs from run to run."""

KINDS = {"autoencoder": "images", "denoiser": "images", "textgen": "text", "sentiment": "reviews"}
NOTEBOOKS: dict[str, tuple[str, str, dict[str, Any], str, dict[str, Any]]] = {
    "autoencoder": ("autoencoder", "images", {"noise": 0.0}, "epoch", {}),
    "denoiser": ("autoencoder", "images", {"noise": NOISE}, "epoch", {}),
    # Their peaks are reached before the first step.
    "textgen": ("textgen", "text", {}, "train", {"seconds": 10, "steps": 20}),
    "sentiment": ("imdb", "imdb", {}, "train", {"most_reviews": 2_560}),
}
"""Module, kind of prepared data, options, and the method that is called with its arguments."""


def measure(row: Row) -> None:
    """Train each model in a process of its own, the notebook's and ours in turn."""
    loaded: list[float] = []
    held: list[dict[str, float]] = []
    notebooks: dict[str, float] = {}
    for model in ("autoencoder", "sentiment") if row.short else KINDS:
        peaks: dict[str, list[float]] = {"notebook": [], "Quartet": []}
        with prepared(NOTEBOOKS[model][1], row.short) as data:
            for _ in range(1 if row.short else RUNS):
                peaks["notebook"].append(_notebook(model, data))
                before, peak, *held = _quartet(model, row.short)
                loaded.append(before)
                peaks["Quartet"].append(peak)
        for name, values in peaks.items():
            row.figure(f"{model}, {name}", "MB", values)
        notebooks[model] = median(peaks["notebook"])
        row.judge(f"{model}, beside the notebook", pairs(peaks["Quartet"], peaks["notebook"]), "≤", 0.6)
    row.limit(
        "any training",
        median(loaded),
        "MB",
        "what our process holds at most before it trains: TensorFlow, Keras and the task are imported",
    )
    row.note(
        "The most memory that the process held at once (`VmHWM`), from its start. Each side reads its data "
        "itself, the notebooks as their recipes do: images from an `.npz`, scaled to float32; reviews by the "
        "lines of `keras.datasets.imdb.load_data`, from a file of the form of Keras' `imdb.npz`, made of the "
        "archive's reviews in another process. Only the text comes as codes, which is less than its recipe "
        "holds. Ours is the whole task without the report, which adds up to 15 MB."
    )
    row.note(
        "`import keras` imports scikit-learn and matplotlib where they are installed. Ours trains "
        "without scikit-learn, which makes 50 MB of the difference."
    )
    row.note(
        f"Sentiment: what our process holds before it trains, nearly all of it TensorFlow, is alone "
        f"{median(loaded) / notebooks['sentiment']:.2f} of the notebook's peak."
    )
    if all(held):
        # Of the last model, which is the review model.
        files, own = ([each[name] for each in held] for name in ("RssFile", "RssAnon"))
        row.note(
            f"Sentiment, after its training: {files[0]:.0f} MB are pages of libraries that importing reads "
            f"and {files[1] - files[0]:.0f} MB more that compiling and computing read, {own[0]:.0f} MB are "
            f"what the imports allocate, and {own[1] - own[0]:.0f} MB are the training's own: reviews, "
            "functions, weights, and what XLA's compiler allocated."
        )


def _notebook(model: str, data: Path) -> float:
    module, _, options, method, arguments = NOTEBOOKS[model]
    with Side(f"benchmarks.notebooks.{module}", data=data, seed=0, **options) as side:
        side.ask(method, **arguments)
        return float(side.ask("peak_memory_mb"))


def _quartet(model: str, short: bool) -> tuple[float, float, dict[str, float], dict[str, float]]:
    """Our peak before training and after it, and what was held at both times."""
    kind = KINDS[model]
    name, folder = (OFFLINE[kind], None) if short else (REAL[kind], real_data_folder())
    with Side("benchmarks.quartet.task", model=model, name=name, folder=folder) as side:
        before, held_before = side.ask("peak_memory_mb"), side.ask("held_mb")
        side.ask("train")
        return float(before), float(side.ask("peak_memory_mb")), held_before, side.ask("held_mb")


if __name__ == "__main__":
    run("memory", "Peak memory of a training job", measure)
