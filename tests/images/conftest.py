"""Fixtures of the tests of images."""

from pathlib import Path
from typing import Any

import pytest

from jobs.settings import Settings, read_settings
from jobs.store.job_folder import JobFolder
from tests.images.jobs import IMAGE_MODELS, settings_without_files, train_on_digits
from worker.images.datasets import load_images


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """Settings with a data folder of this test's own; no Redis."""
    return read_settings(data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, JobFolder]:
    """A training job of each image model."""
    return {model: train_on_digits(tmp_path_factory.mktemp(model), model) for model in IMAGE_MODELS}


@pytest.fixture(scope="session")
def digits() -> Any:
    return load_images("digits", settings_without_files())
