"""Runs jobs of the review model without a worker, and makes reviews, for its tests."""

import csv
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.tasks.sentiment import task
from worker.tasks.sentiment.metrics import METRICS
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.vocabulary import Vocabulary

SOURCE = "20261123-221530-042-k7qd"
MARKUP = "<script>document.title = 'owned'</script>{{ 7 * 7 }}"
SMALL: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 32,
    "vocabulary": 100,
    "length": 30,
    "learning_rate": 0.02,
}
TEXTS = ["The plot is clever. The acting is superb.", "The plot is dull.\nThe music is awful.", "Ωμέγα"]


class Evil:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (os.system, ("touch owned",))


def do(
    folder: Path, action: str, data: Path | str | None = None, source: JobFolder | None = None, **fields: Any
) -> JobContext:
    """Do a job without a worker; its folder has what a finished one has."""
    seed = fields.pop("seed", 0)
    spec = JobSpec.make(
        "sentiment",
        action,
        parameters=fields,
        seed=seed,
        data=None if data is None else str(data),
        **({"from": SOURCE} if source else {}),
    )
    folder.mkdir(parents=True, exist_ok=True)
    context = JobContext(
        spec=spec,
        folder=folder,
        settings=read_settings(data_dir=folder / "data", checkpoint_seconds=0.1),
        sources={"from": source} if source else {},
    )
    metrics = getattr(task, action)(context)
    assert all(isinstance(value, (int, float)) and math.isfinite(value) for value in metrics.values())
    ends = {end for metric in METRICS if metric.interval for end in metric.interval}
    assert metrics.keys() <= {metric.name for metric in METRICS} | ends
    write_json(folder / "metrics.json", metrics)
    moment = "2026-11-23T22:15:30.042Z"
    write_json(
        folder / "job.json",
        {
            "id": SOURCE,
            "state": "succeeded",
            "spec": spec.model_dump(mode="json", by_alias=True),
            "data": context.data,
            "notes": context.notes,
            "warnings": context.warnings,
            "attempt": 1,
            "times": {"submitted": moment, "started": moment, "finished": moment},
            "seconds": 1.0,
            "command": f"quartet submit sentiment {action}",
            "device": {"kind": "cpu", "name": "a processor"},
            "versions": {"python": "3.11.9"},
            "worker": "worker-1@host",
            "headline": None,
            "error": None,
            "log_end": None,
            "timeline": [],
        },
    )
    return context


def weights_and_history(folder: JobFolder) -> tuple[list[bytes], list[list[float]]]:
    model = build_sentiment(Vocabulary.read(folder.path / "vocabulary.json").vocab_size, seed=0)
    model.load_weights(folder.path / "model.keras")
    names = ("epoch", "loss", "validation_loss", "validation_accuracy")
    return [weight.tobytes() for weight in model.get_weights()], [
        [row[name] for name in names] for row in folder.history
    ]


def predictions(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def some_tokens(count: int, longest: int, seed: int = 0) -> Tokens:
    """Reviews of 1 to `longest` random tokens, the first one the longest."""
    rng = np.random.default_rng(seed)
    lengths = [longest, *rng.integers(1, longest + 1, count - 1)]
    return Tokens.joined([rng.integers(1, 50, length).astype(np.int32) for length in lengths])


def padded_table(tokens: Tokens) -> tuple[tf.Tensor, tf.Tensor]:
    """Reviews as one array, padded on the right, and their sizes."""
    table = np.zeros((len(tokens), int(tokens.sizes.max())), np.int32)
    for place in range(len(tokens)):
        table[place, : tokens.sizes[place]] = tokens.of(place)
    return tf.constant(table), tf.constant(tokens.sizes)


def scored(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that go with them, more or less, some of them equal."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count).astype(np.uint8)
    return labels, np.clip(labels * 0.3 + rng.normal(0.35, 0.25, count), 0, 1).round(2)


def write_reviews(root: Path, texts: Iterable[tuple[str, bytes]]) -> None:
    """Write text files into folders that are made for them."""
    for name, content in texts:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
