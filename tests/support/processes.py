"""Real workers and a real Redis that tests may kill, and waiting for what they do."""

import os
import shlex
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

from jobs.client import Client
from jobs.job import Job
from jobs.ledger.connection import connect
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.local.redis_server import private_redis
from jobs.local.supervisor import LocalWorker, end_workers
from jobs.redis_access.rights import rights
from jobs.settings import Settings, read_settings


def missing(reason: str) -> None:
    """What is not installed is skipped on a laptop and fails in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def quick_settings(redis_url: str, folder: Path) -> Settings:
    """Settings with quick leases and with all folders below `folder`."""
    return read_settings(
        redis_url=redis_url,
        results_dir=folder / "results",
        data_dir=folder / "data",
        state_dir=folder / "state",
        lease_seconds=4,
        heartbeat_seconds=0.5,
        sweep_seconds=0.5,
        checkpoint_seconds=1,
        min_free_gb=0,
        # The CPU gives the same bits on every machine.
        gpu="none",
    )


class RestartableRedis:
    """A Redis with an append-only file that is killed and started again on the same folder.

    Attributes:
        address: for a user who may do everything.
        worker_address: for one who may do what a worker has to, and no more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = Path(tempfile.mkdtemp(prefix="quartet-redis-")) / "redis.sock"
        self.start()

    def start(self) -> None:
        self.block = private_redis(self.socket, self.folder, keep=True)
        self.address = self.block.__enter__()
        rights_of_a_worker = rights()["worker"].acl_line
        connect(self.address).execute_command(*shlex.split(rights_of_a_worker))
        self.worker_address = self.address.replace("unix://", "unix://quartet-worker:PASSWORD@")

    def process(self) -> psutil.Process:
        """The server's process."""
        for process in psutil.process_iter(["cmdline"]):
            if str(self.socket) in " ".join(process.info["cmdline"] or []):
                return process
        raise AssertionError(f"no Redis runs on {self.socket}")

    def kill(self) -> None:
        self.process().kill()

    def restart(self, pause: float, lose_bytes: int = 0) -> None:
        """Kill the server and start it again.

        Args:
            pause: seconds in between.
            lose_bytes: that the end of its append-only file lacks then.
        """
        self.kill()
        time.sleep(pause)
        if lose_bytes:
            newest = max(self.folder.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime)
            os.truncate(newest, max(0, newest.stat().st_size - lose_bytes))
        self.start()

    def end(self) -> None:
        self.block.__exit__(None, None, None)
        shutil.rmtree(self.socket.parent)


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


@contextmanager
def one_worker_in(folder: Path, redis_url: str, **others: object) -> Iterator[Workers]:
    """A worker with quick settings and an empty ledger, whose log is in `folder`.

    Its processes run the `sitecustomize.py` of that folder, if there is one. `others` are further settings.
    """
    Ledger(redis_url).redis.flushall()
    workers = Workers(quick_settings(redis_url, folder).model_copy(update=others), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        workers.start()
    yield workers
    workers.end()


def until(condition: Callable[[], Any], seconds: float = 60, what: str = "it") -> Any:
    """Wait for a condition; what it returns when it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def progress_of(client: Client, job_id: str) -> dict[str, Any]:
    """The latest progress message of a job, empty if there is none."""
    return client.ledger.latest_progress([job_id])[job_id]


def ended(client: Client, job_id: str, seconds: float = 200) -> Job:
    """Wait for a job to end."""

    def look() -> Job | None:
        job = client.job(job_id)
        return job if job.state in ENDED else None

    job: Job = until(look, seconds, f"the end of {job_id}")
    return job
