"""What the review model reaches on IMDB with its defaults."""

import os
from pathlib import Path

import numpy as np
import pytest

from jobs.files import write_json
from jobs.folder import JobFolder
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from worker.run import Run
from worker.tasks import sentiment

SEEDS = (0, 1, 2)
ACCURACY = 0.86
"""The mean of three seeds. Notebooks of the same network reach 0.855 to 0.871."""


@pytest.mark.quality
@pytest.mark.timeout(900)
def test_imdb_is_told_apart_as_well_as_was_promised(tmp_path: Path) -> None:
    data = Path(os.environ.get("QUARTET_TEST_DATA", "")) / "aclImdb.tar.gz"
    if not data.exists():
        pytest.skip("QUARTET_TEST_DATA names no folder with aclImdb.tar.gz")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / data.name).symlink_to(data.absolute())
    settings = read_settings(data_dir=tmp_path / "data")
    metrics = [trained_and_measured(tmp_path / f"seed {seed}", seed, settings) for seed in SEEDS]
    accuracies = [found["accuracy"] for found in metrics]
    assert np.mean(accuracies) >= ACCURACY, metrics
    # A threshold that was chosen on validation reviews keeps its promise, more or less, on the test.
    assert all(abs(found["precision"] - 0.95) < 0.02 for found in metrics), metrics


def trained_and_measured(folder: Path, seed: int, settings: Settings) -> dict[str, float]:
    """Accuracy at the default threshold, precision at the one that was chosen for a precision of 0.95."""
    training = Run(
        spec=JobSpec.make("sentiment", "train", seed=seed),
        folder=folder / "20261123-221530-042-k7qd",
        settings=settings,
    )
    training.folder.mkdir(parents=True)
    sentiment.train(training)
    write_json(
        training.folder / "job.json", {"spec": training.spec.model_dump(mode="json"), "data": training.data}
    )
    found: dict[str, float] = {}
    for name, parameters in (("accuracy", {}), ("precision", {"target_precision": 0.95})):
        run = Run(
            spec=JobSpec.make(
                "sentiment", "evaluate", parameters=parameters, **{"from": training.folder.name}
            ),
            folder=folder / name,
            settings=settings,
            sources={"from": JobFolder(training.folder)},
        )
        run.folder.mkdir()
        found[name] = sentiment.evaluate(run)[name]
    return found
