"""A worker and its GPU: what it says where it can take none, and what becomes of a GPU whose worker dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from jobs.client import Client
from jobs.exporter.snapshot import LiveWorker, take_snapshot
from jobs.settings import Settings
from tests.support.fake_nvml import listed
from tests.support.processes import Workers, ended, progress_of, until
from worker.engine.gpu import device

GPU = "GPU-00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("variable", "value", "lines"),
    [
        (
            "FAKE_ERROR",
            "9",
            [
                "quartet-worker: NVIDIA's driver does not answer (Driver Not Loaded)",
                "hint: repair the driver, or set QUARTET_GPU=none to run on the CPU",
            ],
        ),
        (
            "QUARTET_GPU_LOCK_DIR",
            "/proc/locks",
            [
                "quartet-worker: QUARTET_GPU_LOCK_DIR: expected a folder, got /proc/locks, which is none",
            ],
        ),
        (
            "QUARTET_GPU",
            "all",
            [
                "quartet-worker: QUARTET_GPU: expected one of exclusive, shared, none, got 'all'",
                "hint: exclusive: each worker waits for a GPU of its own; shared: it takes the least loaded; "
                "none: it runs on the CPU",
            ],
        ),
    ],
)
def test_a_worker_that_cannot_take_a_gpu_says_why_and_ends(
    machine: Callable[..., None], variable: str, value: str, lines: list[str]
) -> None:
    machine("0:0", **{variable: value})
    done = subprocess.run([sys.executable, "-m", "worker.cli"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines() == lines


def test_the_record_of_a_job_names_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"name": "Fake GPU", "uuid": GPU, "driver": "999.1", "pid": 1}
    monkeypatch.setenv(device.HELD_VARIABLE, json.dumps(held))
    there = SimpleNamespace(name="/physical_device:GPU:0")
    config = SimpleNamespace(
        list_physical_devices=lambda _: [there],
        experimental=SimpleNamespace(get_device_details=lambda _: {"device_name": "Fake GPU"}),
    )
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
    monkeypatch.setattr(device, "loaded", lambda: True)
    assert device.describe() == {"kind": "gpu", "name": "Fake GPU", "uuid": GPU, "driver": "999.1"}


@pytest.mark.chaos
def test_a_killed_worker_frees_its_gpu_and_its_job_is_resumed_by_the_next(
    settings: Settings, workers: Workers, machine: Callable[..., None]
) -> None:
    machine("0:0")
    folder = Path(os.environ["QUARTET_GPU_LOCK_DIR"])
    workers.settings = settings.model_copy(update={"gpu": "exclusive", "gpu_lock_dir": folder})
    client = Client(settings)
    [first] = workers.start()
    until(lambda: listed()[0]["holders"], 60, "the first worker's lock")
    workers.start()

    def announced() -> dict[str, str] | None:
        return next(
            (about for name, about in client.ledger.workers().items() if name.startswith("w2@")), None
        )

    about = until(announced, 30, "the second worker's announcement")
    assert about["waiting"].startswith("for a GPU: the only GPU is held by w1@")
    assert health("w2").startswith("w2@")
    assert "waits for a GPU" in health("w2")
    measured = until(lambda: measured_worker(client, "w1"), 30, "what the first worker measured")
    assert (measured.queues, measured.waits) == (("short", "training"), False)
    assert measured.gpu == (0.0, 1e9, 80e9)
    assert measured.free_bytes
    job = client.submit("autoencoder", "train", data="digits", epochs=1_000)
    until(lambda: progress_of(client, job.id).get("epoch", 0) > 20, 60, "a running training job")
    [pace] = client.ledger.measure().paces
    assert (pace.worker, pace.model) == (measured.name, "autoencoder")
    assert pace.epoch
    assert pace.step
    [row] = listed()
    assert (row["uuid"], row["jobs"]) == (GPU, [job.id])
    assert take_snapshot(client.ledger).workers[1].waits

    child = workers.child_of(first)
    os.kill(first.process.pid, signal.SIGKILL)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10, "the child's end")
    done = ended(client, job.id, 120)
    assert (done.state, done.attempt, str(done.worker).split("@")[0]) == ("succeeded", 2, "w2"), (
        workers.logs()
    )
    recorded = client.folder(job.id).job["device"]
    assert recorded["unused_gpu"] == {"name": "Fake GPU", "uuid": GPU, "driver": "999.1"}
    report = (client.folder(job.id).path / "report.html").read_text()
    assert GPU in report
    assert "TensorFlow could not use it" in report


def measured_worker(client: Client, name: str) -> LiveWorker | None:
    """What the exporter knows of a worker, once that has looked at its GPU."""
    found = take_snapshot(client.ledger).workers
    return next((each for each in found if each.name.startswith(f"{name}@") and each.gpu), None)


def health(name: str) -> str:
    return subprocess.check_output([sys.executable, "-m", "worker.cli", "health", "--name", name], text=True)
