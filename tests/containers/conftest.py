"""One project of docker compose for all tests of the containers: an engine and three workers take long to start."""

from collections.abc import Iterator

import pytest

from jobs.client import Client
from jobs.settings import read_settings
from tests.containers.fleet import README, published_nothing
from tests.support.compose_project import Project, engine_problem, project
from tests.support.processes import missing


@pytest.fixture(scope="session")
def quartet() -> Iterator[Project]:
    problem = engine_problem()
    if problem:
        missing(problem)
    _, more_workers, up, *_ = README
    assert up == "docker compose up --detach --wait"
    with project() as made:
        made.run("sh", "-c", more_workers)
        made.compose("build", timeout=900)
        # First as it is meant for one machine alone; then with Redis published, for the client out here.
        made.compose("up", "--detach", "--wait", "redis")
        published_nothing(made, "redis")
        made.use("docker-compose.laptop.yml")
        made.run(*up.split())
        yield made


@pytest.fixture
def outside(quartet: Project) -> Client:
    """A client on this machine, through the Redis that docker-compose.laptop.yml publishes."""
    return Client(
        read_settings(
            redis_url=f"redis://127.0.0.1:{quartet.ports['REDIS']}/0",
            redis_password_file=quartet.folder / "secrets" / "redis_password",
            results_dir=quartet.folder / "results",
        )
    )
