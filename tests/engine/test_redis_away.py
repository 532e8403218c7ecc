"""Redis goes away for a while, its append-only file kept: jobs keep running, end, and say so when it is back."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.settings import Settings, read_settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.support.processes import RestartableRedis, Workers, ended, until

pytestmark = pytest.mark.chaos
QUARTET = str(Path(sys.executable).with_name("quartet"))
AWAY_SECONDS = float(os.environ.get("QUARTET_AWAY_SECONDS", "10"))
"""Well past the lease of the tests. Workers and clients promise a minute."""


@pytest.fixture
def workers(restartable: RestartableRedis, tmp_path: Path) -> Iterator[Workers]:
    settings = read_settings(
        redis_url=restartable.address,
        results_dir=tmp_path / "results",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        lease_seconds=4,
        heartbeat_seconds=0.5,
        sweep_seconds=0.5,
        checkpoint_seconds=1,
    )
    (tmp_path / "logs").mkdir()
    found = Workers(settings, tmp_path / "logs")
    yield found
    found.end()


def quartet(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | settings.environment()
    return subprocess.run([QUARTET, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def epochs_done(client: Client, job_id: str) -> int:
    """By the checkpoint in staging, 0 where there is none (yet, or any more)."""
    for path in (client.results.root / STAGING).glob(f"{job_id}.*/{CHECKPOINT}"):
        try:
            with np.load(path) as stored:
                return len(stored["history"])
        except FileNotFoundError:
            return 0
    return 0


def test_the_settings_promise_a_minute() -> None:
    assert Settings.defaults().redis_patience_seconds >= 60


def test_jobs_and_those_who_watch_them_live_through_a_restart_of_redis(
    restartable: RestartableRedis, workers: Workers
) -> None:
    client = Client(workers.settings)
    workers.start(2)
    control = client.submit("autoencoder", "train", data="digits", epochs=150)
    ended(client, control.id)
    # One runs beyond the outage, the other ends within it, as far as its speed can be told before.
    pace = sum(row["seconds"] for row in client.folder(control.id).history[50:]) / 100
    long = client.submit("denoiser", "train", data="digits", epochs=1_000_000)
    until(lambda: epochs_done(client, long.id), 90, "a checkpoint")
    short = client.submit("autoencoder", "train", data="digits", epochs=int(0.7 * AWAY_SECONDS / pace))
    until(lambda: epochs_done(client, short.id), 90, "a checkpoint")
    watched: list[Job] = []
    watching = Thread(target=lambda: watched.extend(job for job, _ in client.watch(short.id)))
    watching.start()
    until(lambda: watched, 30, "a first look at it")

    restartable.kill()
    away_since = time.monotonic()
    refused = quartet(client.settings, "submit", "autoencoder", "train", "--data", "digits", "--epochs", "1")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("quartet: Redis cannot be reached at")
    # What has ended is there without Redis.
    listed = quartet(client.settings, "list")
    assert (listed.returncode, control.id in listed.stdout) == (3, True)
    assert "Redis cannot be reached" in listed.stderr
    assert "published" in quartet(client.settings, "show", control.id).stdout
    assert Path(quartet(client.settings, "report", control.id).stdout.strip()).is_file()
    before = epochs_done(client, long.id)
    until(lambda: epochs_done(client, long.id) > before, 60, "an epoch without Redis")
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - away_since)))
    restartable.start()

    assert ended(client, short.id, 120).state == "succeeded", workers.logs()
    watching.join(30)
    assert watched[-1].state == "succeeded"
    client.cancel(long.id)
    assert ended(client, long.id, 60).state == "cancelled", workers.logs()
    for job in (short, long):
        found = client.job(job.id)
        assert (found.attempt, client.folder(job.id).verify()) == (1, [])
        texts = [entry["text"] for entry in client.timeline(job.id)]
        assert not any(text.startswith("worker died") for text in texts), texts
    assert any(text.startswith("Redis was away for") for text in texts), texts
    # Nothing of what was refused has been queued; the workers take jobs.
    assert sorted(client.ledger.ids()) == sorted([control.id, long.id, short.id])
    after = client.submit("autoencoder", "train", data="digits", epochs=1)
    assert ended(client, after.id).state == "succeeded"


def test_a_submit_whose_answer_was_lost_has_queued_the_job_once(
    restartable: RestartableRedis, tmp_path: Path
) -> None:
    """Redis dies in the middle of a submit, again and again: each is refused with exit code 3, or is there."""
    settings = read_settings(redis_url=restartable.address, results_dir=tmp_path / "results")
    client = Client(settings)
    said: list[subprocess.CompletedProcess[str]] = []
    command = ("submit", "autoencoder", "train", "--data", "digits")
    for pause in (0.3, 0.45, 0.6, 0.75):
        submitting = Thread(target=lambda: said.append(quartet(settings, *command)))
        submitting.start()
        time.sleep(pause)
        restartable.kill()
        submitting.join()
        restartable.start()
    assert {done.returncode for done in said} <= {0, 3}, said
    assert all("Traceback" not in done.stderr for done in said)
    promised = {done.stdout.strip() for done in said if done.returncode == 0}
    queued = client.ledger.ids("queued")
    assert promised <= set(queued)
    assert len(queued) <= len(said)
