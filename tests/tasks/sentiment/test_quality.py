"""What the review model reaches on IMDB with its defaults."""

import os
from pathlib import Path

import numpy as np
import pytest

from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.tasks.sentiment import task

SEEDS = (0, 1, 2)
ACCURACY = 0.86
"""The mean of three seeds. Notebooks of the same network reach 0.855 to 0.871."""


@pytest.mark.quality
@pytest.mark.timeout(900)
def test_imdb_reaches_the_promised_accuracy(tmp_path: Path) -> None:
    data = Path(os.environ.get("QUARTET_TEST_DATA", "")) / "aclImdb.tar.gz"
    if not data.exists():
        pytest.skip("QUARTET_TEST_DATA names no folder with aclImdb.tar.gz")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / data.name).symlink_to(data.absolute())
    settings = read_settings(data_dir=tmp_path / "data")
    metrics = [trained_and_measured(tmp_path / f"seed {seed}", seed, settings) for seed in SEEDS]
    accuracies = [found["accuracy"] for found in metrics]
    assert np.mean(accuracies) >= ACCURACY, metrics
    # Training, validation and test reviews are of films of their own, so what was asked for holds.
    assert all(-0.005 < found["precision"] - 0.95 < 0.03 for found in metrics), metrics


def trained_and_measured(folder: Path, seed: int, settings: Settings) -> dict[str, float]:
    """Accuracy at the default threshold, precision at the one that was chosen for a precision of 0.95."""
    training = JobContext(
        spec=JobSpec.make("sentiment", "train", seed=seed),
        folder=folder / "20261123-221530-042-k7qd",
        settings=settings,
    )
    training.folder.mkdir(parents=True)
    task.train(training)
    write_json(
        training.folder / "job.json", {"spec": training.spec.model_dump(mode="json"), "data": training.data}
    )
    found: dict[str, float] = {}
    for name, parameters in (("accuracy", {}), ("precision", {"target_precision": 0.95})):
        context = JobContext(
            spec=JobSpec.make(
                "sentiment", "evaluate", parameters=parameters, **{"from": training.folder.name}
            ),
            folder=folder / name,
            settings=settings,
            sources={"from": JobFolder(training.folder)},
        )
        context.folder.mkdir()
        found[name] = task.evaluate(context)[name]
    return found
