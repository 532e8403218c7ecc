"""A context without a worker."""

from pathlib import Path

import pytest

from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.context import JobContext


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    return JobContext(spec=JobSpec.make("autoencoder", "train"), folder=tmp_path, settings=read_settings())
