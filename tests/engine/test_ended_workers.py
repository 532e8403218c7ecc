"""A worker that is stopped or frozen hands its job back, with its checkpoint; nothing counts as a lost worker."""

import os
import signal
import time

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.engine.test_workers import running
from tests.support.processes import RestartableRedis, Workers

pytestmark = pytest.mark.chaos


def test_a_worker_that_is_stopped_while_redis_is_away_hands_its_job_back(
    settings: Settings, restartable: RestartableRedis, workers: Workers
) -> None:
    workers.settings = settings.model_copy(update={"redis_url": SecretStr(restartable.address)})
    client = Client(workers.settings)
    [worker] = workers.start()
    job = client.submit("autoencoder", "train", data="digits", epochs=100_000)
    running(client, job.id)
    restartable.kill()
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(4)
    assert worker.process.poll() is None
    restartable.start()
    worker.process.wait(40)
    record = client.ledger.record(job.id)
    assert (record.state, record.attempt, record.lost) == ("queued", 1, 0), workers.logs()
    assert any((client.results.root / STAGING).glob(f"{job.id}.*/{CHECKPOINT}"))


def test_a_frozen_main_process_hands_its_job_back_and_is_replaced(client: Client, workers: Workers) -> None:
    [worker] = workers.start()
    job = client.submit("autoencoder", "train", data="digits", epochs=100_000)
    running(client, job.id)
    os.kill(worker.process.pid, signal.SIGSTOP)
    assert worker.process.wait(90) == -signal.SIGKILL
    assert client.job(job.id).state == "queued"
    worker.check()  # as `quartet up` does every second
    assert running(client, job.id).attempt == 2
    record = client.ledger.record(job.id)
    assert record.lost == 0, client.timeline(job.id)
    assert any(entry["text"].startswith("resumed from epoch") for entry in client.timeline(job.id))
