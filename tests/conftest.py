"""Fixtures: a real Redis of our own on a socket, real worker processes, folders of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs.client import Client, Job
from jobs.errors import MissingPart
from jobs.ledger import Ledger
from jobs.local import LocalWorker, Service, end_workers, find_server, private_redis
from jobs.record import ENDED
from jobs.settings import Settings, read_settings

# A shell's background job ignores the signal, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def missing(reason: str) -> None:
    """What is not installed is skipped on a laptop and fails in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


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


class RestartableRedis:
    """A Redis with an append-only file that is killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = Path(tempfile.mkdtemp(prefix="quartet-redis-")) / "redis.sock"
        self.start()

    def start(self) -> None:
        self.block = private_redis(self.socket, self.folder, keep=True)
        self.address = self.block.__enter__()

    def kill(self) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if str(self.socket) in " ".join(process.info["cmdline"] or []):
                process.kill()

    def restart(self, pause: float) -> None:
        self.kill()
        time.sleep(pause)
        self.start()

    def end(self) -> None:
        self.block.__exit__(None, None, None)
        shutil.rmtree(self.socket.parent)


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[RestartableRedis]:
    redis = RestartableRedis(tmp_path / "redis")
    yield redis
    redis.end()


@contextmanager
def volume(path: Path, options: str) -> Iterator[None]:
    """A small volume of its own at `path`, for the length of the block; skips where none can be mounted."""
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no volume can be mounted here ({mounted.stderr.strip() or 'not allowed'})")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


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
        # The processor computes the same bits wherever the tests run.
        gpu="none",
    )


@pytest.fixture
def client(settings: Settings) -> Client:
    return Client(settings)


class Workers:
    """Real worker processes; a test may kill them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.started: list[LocalWorker] = []

    def start(self, count: int = 1) -> list[LocalWorker]:
        address = self.settings.redis_address()
        new = []
        for _ in range(count):
            name = f"w{len(self.started) + 1}"
            worker = LocalWorker(self.settings, address, name, self.folder / f"{name}.log")
            self.started.append(worker)
            new.append(worker)
        return new

    def child_of(self, worker: LocalWorker) -> psutil.Process:
        """The pool's process of a worker: the one that computes."""
        children = psutil.Process(worker.process.pid).children(recursive=True)
        return max(children, key=lambda process: process.memory_info().rss)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in self.folder.glob("*.log"))

    def end(self) -> None:
        for worker in self.started:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
        end_workers([worker.process for worker in self.started], 5)


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


def until(condition: Callable[[], Any], seconds: float = 60, what: str = "it") -> Any:
    """Wait for a condition; what it returns when it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def ended(client: Client, job_id: str, seconds: float = 90) -> Job:
    """Wait for a job to end."""

    def look() -> Job | None:
        job = client.job(job_id)
        return job if job.state in ENDED else None

    job: Job = until(look, seconds, f"the end of {job_id}")
    return job
