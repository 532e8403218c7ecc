"""Starts `tests.engine.bare_worker`, sends it jobs and sees what it does."""

import os
import sys
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

from jobs.ids import new_job_id
from jobs.ledger.messages import QUEUES, Message
from tests.support.processes import until

LIST = f"{QUEUES['training']}\x06\x163"
ROOT = Path(__file__).parents[2]


def message(job_id: str) -> str:
    return Message(job_id, "bare.train", QUEUES["training"], 3, f"{job_id}.1").text()


class BareWorker:
    """One worker.

    Args:
        address: of Redis, as the worker gets it.
        folder: for its log and its files.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.file, self.log = folder / "jobs.txt", folder / "bare.log"
        environment = os.environ | {"BARE_WORKER_ADDRESS": address, "BARE_WORKER_FILE": str(self.file)}
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "tests.engine.bare_worker"]
            self.process = psutil.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        until(lambda: "ready." in self.said(), 60, "the worker's start")

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def done(self) -> dict[str, str]:
        """The id of each job that ended -> that of its process."""
        text = self.file.read_text() if self.file.exists() else ""
        return dict(line.split() for line in text.splitlines())

    def submit(self, redis: Any) -> str:
        job_id = new_job_id()
        redis.lpush(LIST, message(job_id))
        return job_id

    def does_a_job(self, redis: Any, seconds: float = 30) -> str:
        """Submit one and wait for it; the process that did it."""
        job_id = self.submit(redis)
        until(lambda: job_id in self.done(), seconds, f"a job; the worker said {self.said()[-3000:]}")
        assert self.process.poll() is None, self.said()[-3000:]
        return self.done()[job_id]

    def mark(self, name: str, there: bool = True) -> None:
        """Make or remove one of the files that the worker looks for: `hold` or `pause`."""
        path = self.file.with_suffix(f".{name}")
        path.touch() if there else path.unlink(missing_ok=True)

    def end(self) -> None:
        for process in (*self.process.children(recursive=True), self.process):
            process.kill()
        self.process.wait()


def redis_at(address: str, **options: Any) -> Any:
    return Redis.from_url(address, **options)
