"""Fixtures of the tests of the autoencoder."""

from typing import Any

import pytest

from jobs.store.job_folder import JobFolder
from tests.images.jobs import settings_without_files, train_on_digits
from worker.images.datasets import load_images


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> JobFolder:
    """A training job."""
    return train_on_digits(tmp_path_factory.mktemp("autoencoder"), "autoencoder")


@pytest.fixture(scope="session")
def digits() -> Any:
    return load_images("digits", settings_without_files())
