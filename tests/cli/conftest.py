"""Fixtures of the command line's tests."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from jobs.client import Client
from jobs.local.supervisor import Service
from jobs.settings import Settings
from tests.cli.program import TRAIN, environment, quartet_here
from tests.sweeps.stand_in_worker import StandIn, bowl, sweep_of

if TYPE_CHECKING:
    from tests.cli.hostile_world import World


@pytest.fixture(scope="module")
def trained(service: Service) -> str:
    """The id of a finished training job with a name."""
    done = quartet_here(service.settings, "submit", *TRAIN, "--name", "first one", "--watch")
    job_id, report = done.stdout.split()
    assert report == str(service.settings.results_dir / job_id / "report.html")
    assert Path(report).is_file()
    return job_id


@pytest.fixture
def away(service: Service) -> Settings:
    """The same results, with a Redis that is not there."""
    return service.settings.model_copy(update={"redis_url": SecretStr("redis://:geheim@127.0.0.1:1/0")})


@pytest.fixture
def in_process(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in this process, which is quicker than one of its own; it does not raise."""
    from jobs.cli.main import quartet as group

    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(group, arguments, standalone_mode=False)

    return invoke


@pytest.fixture
def ended(client: Client) -> Client:
    """One sweep has ended: of three points the last failed."""
    client.create_sweep(sweep_of(seeds=(0, 1)))
    StandIn(client, lambda point: None if point["learning_rate"] == 0.1 else bowl(point)).run()
    return client


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> "World":
    """A client with a file outside of its folders; made here, since it loads NumPy and the reports."""
    from tests.cli.hostile_world import World

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("a secret")
    return World(settings, Client(settings), tmp_path, outside)
