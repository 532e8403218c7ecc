"""Flower: it says failed of what failed, on which GPU a worker runs, and knows both after a restart."""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from jobs.client import Client
from jobs.settings import Settings
from jobs.spec import JobSpec
from tests.support import fake_nvml
from tests.support.processes import Workers, ended, until
from tests.support.redis_servers import free_port
from worker.dashboards import task_history
from worker.dashboards.task_history import KeptEvents, TaskHistory

WORKER = "w1@host"


def event(kind: str, number: int) -> dict[str, Any]:
    return {"type": kind, "uuid": f"task-{number}", "hostname": WORKER, "timestamp": 1.0, "clock": number}


def add(folder: Path, *events: dict[str, Any]) -> None:
    with contextlib.closing(TaskHistory(folder)) as history:
        for each in events:
            history.add(each)


def kept(folder: Path) -> list[str]:
    with contextlib.closing(TaskHistory(folder)) as history:
        return [each["uuid"] for each in history.events()]


def test_what_a_crash_left_of_a_line_hides_no_other_event(tmp_path: Path) -> None:
    add(tmp_path, event("task-received", 1), {"type": "worker-heartbeat", "hostname": WORKER})
    with (tmp_path / "tasks.jsonl").open("ab") as file:
        file.write(b'\n{"type": "task-sta')
    add(tmp_path, event("task-failed", 2))
    assert kept(tmp_path) == ["task-1", "task-2"]


def test_the_history_keeps_the_latest_events_and_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_history, "MOST_EVENTS", 10)
    add(tmp_path, *(event("task-started", number) for number in range(7)))
    add(tmp_path, *(event("task-started", number) for number in range(7, 25)))
    assert kept(tmp_path) == [f"task-{number}" for number in range(10, 25)]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_history_that_somebody_deletes_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_history, "MOST_EVENTS", 2)
    with contextlib.closing(TaskHistory(tmp_path)) as history:
        history.add(event("task-started", 1))
        (tmp_path / "tasks.jsonl").unlink()
        for number in (2, 3, 4):
            history.add(event("task-started", number))
    assert kept(tmp_path) == ["task-3", "task-4"]


@pytest.mark.parametrize("time", ["1e999", "1e300", '"soon"', "[]", "null"])
def test_an_event_that_is_none_keeps_flower_from_nothing(tmp_path: Path, time: str) -> None:
    received = {"local_received": 1.0, "pid": 7, "utcoffset": 0}
    with (tmp_path / "tasks.jsonl").open("w") as file:
        for kind in ("worker-online", "task-received"):
            file.write(json.dumps(event(kind, 1) | received).replace("1.0", time) + "\n")
    add(tmp_path, event("task-received", 2) | received)
    with contextlib.closing(TaskHistory(tmp_path)) as history:
        state = KeptEvents(Celery(), None, history=history, max_tasks_in_memory=10).state
    assert "task-2" in state.tasks


class Flower:
    """A running Flower, asked with its password."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"Basic {base64.b64encode(b'quartet:secret').decode()}")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return str(answer.read().decode())
        except OSError:  # it is starting, or knows nothing of that
            return ""

    def state(self, job_id: str) -> str:
        found = self.ask(f"/api/task/info/{job_id}")
        return str(json.loads(found)["state"]) if found else ""


@contextlib.contextmanager
def flower(settings: Settings, folder: Path) -> Iterator[Flower]:
    (folder / "password").write_text("secret\n")
    (folder / "history").mkdir(exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "worker.dashboards.flower", "password", "--history", "history"]
    environment = {**os.environ, "QUARTET_REDIS_URL": settings.redis_address()}
    with (folder / "flower.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        until(lambda: Flower(port).ask("/workers"), 60, "Flower's answer")
        yield Flower(port)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.chaos
def test_flower_knows_after_a_kill_what_failed_and_shows_a_workers_gpu(
    settings: Settings, client: Client, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(fake_nvml.build(tmp_path / "nvml")), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_GPUS", "0:0")
    workers.settings = settings.model_copy(update={"gpu": "exclusive", "gpu_lock_dir": tmp_path / "locks"})
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and nothing more")
    with flower(settings, tmp_path) as shown:
        workers.start()
        name = until(lambda: next(iter(client.ledger.workers()), ""), 60, "a worker")
        bad = client.submit_spec(JobSpec.make("autoencoder", "train", data=str(tmp_path / "broken.npz")))
        good = client.submit("autoencoder", "train", data="digits", epochs=1)
        assert (ended(client, bad.id).state, ended(client, good.id).state) == ("failed", "succeeded")
        until(lambda: shown.state(bad.id) == "FAILURE", 20, "the failed job in Flower")
        until(lambda: shown.state(good.id) == "SUCCESS", 20, "the other one in Flower")
        page = until(lambda: shown.ask(f"/worker/{name}"), 20, "the worker's page")
        assert "Fake GPU (GPU-00000000-0000-0000-0000-000000000000)" in page
        assert re.search(rf"<td>host</td>\s*<td[^>]*>{os.uname().nodename}</td>", page)
    with flower(settings, tmp_path) as shown:
        assert (shown.state(bad.id), shown.state(good.id)) == ("FAILURE", "SUCCESS")
        assert "JobFailed" in shown.ask(f"/task/{bad.id}")
