"""The review model's jobs, from whose folders several modules recompute, and its network of our own."""

import pytest

from tests.recomputed.sentiment import reviews as own
from tests.recomputed.sentiment.review_jobs import Jobs, run_jobs


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return run_jobs(tmp_path_factory.mktemp("sentiment"))


@pytest.fixture(scope="session")
def network(jobs: Jobs) -> own.Network:
    return own.Network(jobs.training)
