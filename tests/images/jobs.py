"""Jobs of the image models, done as a worker does them but without a worker."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jobs.models import model_names, parameters_of
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.engine.wings import wing
from worker.images.parameters import ImageTraining
from worker.report.blocks import Figure

SOURCE_ID = "20261123-221530-042-k7qd"
EPOCHS = 8

IMAGE_MODELS = tuple(
    name for name in model_names() if issubclass(parameters_of(name, "train"), ImageTraining)
)
NOISE = {name: getattr(parameters_of(name, "train")(), "noise", 0.0) for name in IMAGE_MODELS}
"""Standard deviation of the noise that each is trained on by default."""
NOISIEST = max(IMAGE_MODELS, key=lambda name: NOISE[name])


def settings_without_files() -> Settings:
    return read_settings(data_dir=Path("nowhere"))


def context_for(
    folder: Path,
    model: str,
    action: str,
    sources: Mapping[str, JobFolder] | None = None,
    *,
    data: str | None = None,
    seed: int = 0,
    **parameters: Any,
) -> JobContext:
    """What a worker hands to the task of a job."""
    folder.mkdir(parents=True, exist_ok=True)
    named: dict[str, Any] = {"from": SOURCE_ID} if sources else {}
    spec = JobSpec.make(model, action, data=data, seed=seed, parameters=parameters, **named)
    return JobContext(spec=spec, folder=folder, settings=settings_without_files(), sources=sources or {})


def do(context: JobContext) -> JobFolder:
    """Do a job and return its folder."""
    model = wing(context.spec.model)
    metrics = model.action(context.spec.action)(context)
    assert all(type(value) is float and math.isfinite(value) for value in metrics.values()), metrics
    assert metrics.keys() <= {metric.name for metric in model.metrics}
    write_json(context.folder / "metrics.json", metrics)
    record = {
        "spec": context.spec.model_dump(mode="json", by_alias=True),
        "data": context.data,
        "notes": context.notes,
        "warnings": context.warnings,
    }
    write_json(context.folder / "job.json", record)
    return JobFolder(context.folder)


def train_on_digits(folder: Path, model: str) -> JobFolder:
    """A training job that is good enough to look at."""
    return do(context_for(folder, model, "train", data="digits", epochs=EPOCHS, batch_size=64))


def as_trained_on(folder: Path, images: Any, data: str = "digits", sha256: str = "0a") -> JobFolder:
    """What is read of the data of a training job, without its network."""
    folder.mkdir()
    np.savez(folder / "images.npz", original=images[:10])
    write_json(folder / "job.json", {"spec": {"data": data}, "data": {data: {"sha256": sha256}}})
    return JobFolder(folder)


def figures_of(folder: JobFolder) -> dict[str, Figure]:
    blocks = wing(folder.job["spec"]["model"]).present(folder)
    return {block.name: block for block in blocks if isinstance(block, Figure)}


def arrays_of(folder: JobFolder) -> dict[str, Any]:
    with np.load(folder.path / "images.npz", allow_pickle=False) as stored:
        return dict(stored)


def without_seconds(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name != "seconds"}
