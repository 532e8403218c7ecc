"""Runs jobs of the character model without a worker, for its tests."""

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from jobs.models import parameters_of
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.tasks.textgen import task
from worker.tasks.textgen.network import build
from worker.tasks.textgen.vocabulary import Vocabulary

TRAIN = parameters_of("textgen", "train")
SOURCE = "20261123-221530-042-k7qd"
MARKUP = "<script>document.title = 'owned'</script>{{ 7 * 7 }}"
SMALL: dict[str, Any] = {"epochs": 2, "units": 12, "window": 10, "batch_size": 8}


def do(
    folder: Path, action: str, data: Path | None = None, source: JobFolder | None = None, **fields: Any
) -> JobContext:
    """Do a job without a worker; its folder has what a finished one has."""
    parameters = {name: value for name, value in fields.items() if name not in ("seed", "stop")}
    spec = JobSpec.make(
        "textgen",
        action,
        parameters=parameters,
        data=data and str(data),
        seed=fields.get("seed", 0),
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
    write_json(folder / "metrics.json", metrics)
    write_json(
        folder / "job.json",
        {
            "id": SOURCE,
            "state": "succeeded",
            "spec": spec.model_dump(mode="json", by_alias=True),
            "data": context.data,
            "notes": context.notes,
            "warnings": context.warnings,
        },
    )
    return context


def states(model: keras.Model, batch: int) -> list[np.ndarray]:
    return [np.zeros((batch, state.shape[1]), np.float32) for state in model.inputs[1:]]


def weights_and_history(folder: JobFolder) -> tuple[list[bytes], list[list[float]]]:
    model = build(len(Vocabulary.read(folder.path / "vocabulary.json")), units=12)
    model.load_weights(folder.path / "model.keras")
    history = [[row[name] for name in ("epoch", "loss", "validation_loss")] for row in folder.history]
    return [weight.tobytes() for weight in model.get_weights()], history
