"""Fixtures: a real Redis of our own on a socket, real worker processes, folders of their own."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from jobs import ids, secrets
from jobs.client import Client
from jobs.errors import MissingPart
from jobs.ledger.ledger import Ledger
from jobs.local.redis_server import find_server, private_redis
from jobs.local.supervisor import Service
from jobs.redis_access.address import read_address
from jobs.settings import Settings, read_settings
from jobs.store.results import Results
from tests.support.object_stores import environment, s3_server, unique_address
from tests.support.processes import RestartableRedis, Workers, missing, quick_settings

OWN_MARKS = ("browser", "chaos", "containers", "quality")

# A shell's background job ignores the signal, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where one mark is asked for, as by `-m chaos`, leave out the files and folders of tests that do not name it.

    Importing all of them takes half a minute, since many load TensorFlow.
    """
    wanted = str(config.option.markexpr)
    if wanted not in OWN_MARKS:
        return None
    files = collection_path.rglob("*.py") if collection_path.is_dir() else [collection_path]
    return None if any(names_mark(path, wanted) for path in files if path.suffix == ".py") else True


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a test that has its mark from elsewhere, which would be left out above."""
    for mark in item.iter_markers():
        if mark.name in OWN_MARKS and not names_mark(item.path, mark.name):
            raise pytest.UsageError(f"{item.nodeid}: expected `mark.{mark.name}` in this file")


@cache
def names_mark(path: Path, mark: str) -> bool:
    return f"mark.{mark}" in path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own settings and `.env` do not reach the tests, nor do ids and passwords of other tests."""
    for name in list(os.environ):
        if name.startswith("QUARTET_") and name != "QUARTET_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # Ids are never made twice: a test that makes thousands at once leaves those of the next in the future.
    monkeypatch.setattr(ids, "_latest", datetime.min.replace(tzinfo=UTC))
    # The password of one test may be a word in what another one reads.
    monkeypatch.setattr(secrets, "_spellings", set())
    monkeypatch.setattr(secrets, "_remembered", re.compile("(?!)"))
    read_address.cache_clear()


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


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real S3 server for this session."""
    with s3_server(tmp_path_factory.mktemp("s3")) as port:
        yield port


@pytest.fixture
def s3(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store on that server, which this process and those that it starts may ask."""
    for name, value in environment(s3_port).items():
        monkeypatch.setenv(name, value)
    return unique_address()


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[RestartableRedis]:
    redis = RestartableRedis(tmp_path / "redis")
    yield redis
    redis.end()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings with quick leases, an empty ledger, and folders of this test's own."""
    Ledger(redis_url).redis.flushall()
    return quick_settings(redis_url, tmp_path)


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings.redis_address())


@pytest.fixture
def results(settings: Settings) -> Results:
    return Results(settings.results_dir)


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
