"""Fixtures: a real Redis of our own on a socket, real worker processes, folders of their own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import MissingPart
from jobs.ledger.ledger import Ledger
from jobs.local.redis_server import find_server, private_redis
from jobs.local.supervisor import Service
from jobs.settings import Settings, read_settings
from tests.support.processes import RestartableRedis, Workers, missing

# A shell's background job ignores the signal, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own settings and `.env` do not reach the tests."""
    for name in list(os.environ):
        if name.startswith("QUARTET_") and name != "QUARTET_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private Redis for this session; it is ours, so it may be flushed."""
    try:
        find_server()
    except MissingPart as error:
        missing(str(error))
    # Unix sockets have short paths, which pytest's folders are not.
    folder = Path(tmp_path_factory.mktemp("redis"))
    socket = Path(f"/tmp/quartet-tests-{os.getpid()}.sock")
    with private_redis(socket, folder, keep=False) as address:
        yield address


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[RestartableRedis]:
    redis = RestartableRedis(tmp_path / "redis")
    yield redis
    redis.end()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings with quick leases, an empty ledger, and folders of this test's own."""
    ledger = Ledger(redis_url)
    ledger.redis.flushall()
    return read_settings(
        redis_url=redis_url,
        results_dir=tmp_path / "results",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        lease_seconds=4,
        heartbeat_seconds=0.5,
        sweep_seconds=0.5,
        checkpoint_seconds=1,
        # The CPU gives the same bits on every machine.
        gpu="none",
    )


@pytest.fixture
def client(settings: Settings) -> Client:
    return Client(settings)


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    folder = tmp_path / "logs"
    folder.mkdir()
    found = Workers(settings, folder)
    yield found
    found.end()


@pytest.fixture(scope="module")
def service(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One warm worker for all tests of a module, with a results folder that they share."""
    folder = tmp_path_factory.mktemp("service")
    Ledger(redis_url).redis.flushall()
    common = read_settings(
        redis_url=redis_url,
        results_dir=folder / "results",
        data_dir=folder / "data",
        state_dir=folder / "state",
        gpu="none",
    )
    started = Workers(common, folder)
    started.start()
    yield Service(common, started.started)
    started.end()
