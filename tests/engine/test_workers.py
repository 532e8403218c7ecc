"""Real workers, real jobs, real deaths: an accepted job ends as exactly one folder."""

import os
import re
import signal
import time

import numpy as np
import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.ledger.messages import list_of
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from tests.support.processes import Workers, ended, progress_of, until

EPOCHS = 400
"""Enough for a training job to be hit in the middle: some seconds."""

LONG = {"data": "digits", "epochs": 100_000}
"""One that ends only when it is cancelled or killed."""


def running(client: Client, job_id: str, epochs: int = 3) -> Job:
    """Wait until a job is well under way and has left a checkpoint."""

    def look() -> bool:
        job = client.job(job_id)
        assert job.state in ("queued", "running"), job.error
        left = any((client.results.root / STAGING).glob(f"{job_id}.*/{CHECKPOINT}"))
        return left and progress_of(client, job_id).get("epoch", 0) >= epochs

    until(look, 90, f"epoch {epochs} of {job_id}")
    return client.job(job_id)


def weights(client: Client, job_id: str) -> list[np.ndarray]:
    with np.load(client.folder(job_id).path / CHECKPOINT) as stored:
        return [stored[name] for name in sorted(stored.files) if name.startswith("variable")]


def losses(client: Client, job_id: str) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in client.folder(job_id).history]


def on_the_index(client: Client) -> list[str]:
    page = (client.results.root / "index.html").read_text()
    return re.findall(r'href="\./([^/"]+)/report\.html"', page)


def no_staging(client: Client) -> bool:
    return not any((client.results.root / STAGING).iterdir())


@pytest.mark.chaos
def test_a_killed_child_costs_nothing_but_time(client: Client, workers: Workers) -> None:
    [worker] = workers.start()
    control = client.submit("autoencoder", "train", data="digits", epochs=EPOCHS)
    killed = client.submit("autoencoder", "train", data="digits", epochs=EPOCHS, fresh=True)
    running(client, killed.id)
    ended(client, control.id)  # its report is made beside the next job
    workers.child_of(worker).kill()
    assert ended(client, killed.id).state == "succeeded", workers.logs()
    texts = [entry["text"] for entry in client.timeline(killed.id)]
    assert any(text.startswith("worker died in epoch") for text in texts)
    assert any(re.fullmatch(r"resumed from epoch \d+(, step \d+)?", text) for text in texts)
    assert client.job(killed.id).attempt == 2
    assert ended(client, control.id).attempt == 1
    for mine, other in zip(weights(client, killed.id), weights(client, control.id), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert losses(client, killed.id) == losses(client, control.id)


@pytest.mark.chaos
def test_a_killed_or_frozen_worker_loses_its_job_to_another(client: Client, workers: Workers) -> None:
    first, second = workers.start(2)
    until(lambda: len(client.ledger.workers()) == 2, 90, "the start of both workers")
    frozen, killed = (client.submit("autoencoder", "train", data="digits", epochs=EPOCHS) for _ in range(2))
    for job in (frozen, killed):
        running(client, job.id)
    holder = first if (client.job(frozen.id).worker or "").startswith("w1@") else second
    other = second if holder is first else first
    # Freeze one worker, the whole of it; kill the other, the whole of it; start a third.
    child = workers.child_of(holder)
    for process in (child.pid, holder.process.pid):
        os.kill(process, signal.SIGSTOP)
    os.killpg(other.process.pid, signal.SIGKILL)
    workers.start()
    until(lambda: client.job(killed.id).attempt + client.job(frozen.id).attempt >= 3, 60, "another attempt")
    until(lambda: client.job(frozen.id).attempt >= 2 or client.job(frozen.id).state == "queued", 60)
    for process in (holder.process.pid, child.pid):
        os.kill(process, signal.SIGCONT)
    for job in (frozen, killed):
        assert ended(client, job.id, 180).state == "succeeded", workers.logs()
        assert client.folder(job.id).verify() == []
    until(lambda: no_staging(client), 20, "the removal of staging")
    assert sorted(client.results.ids()) == sorted([frozen.id, killed.id])


@pytest.mark.chaos
def test_a_worker_that_is_stopped_hands_its_job_back(client: Client, workers: Workers) -> None:
    [first] = workers.start()
    job = client.submit("autoencoder", "train", **LONG)
    running(client, job.id)
    began = time.monotonic()
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(25)
    assert time.monotonic() - began < 20
    assert client.job(job.id).state == "queued"
    assert any((client.results.root / STAGING).glob(f"{job.id}.*/{CHECKPOINT}"))
    [second] = workers.start()
    assert running(client, job.id).attempt == 2
    client.cancel(job.id)
    stopped = ended(client, job.id, 20)
    assert stopped.state == "cancelled"
    texts = [entry["text"] for entry in client.timeline(job.id)]
    assert any("is shutting down; queued again" in text for text in texts)
    assert second.process.poll() is None


@pytest.mark.chaos
def test_a_report_is_made_while_the_next_job_begins_and_before_its_worker_ends(
    client: Client, workers: Workers
) -> None:
    [worker] = workers.start()
    jobs = [client.submit("autoencoder", "train", data="digits", epochs=2, seed=seed) for seed in range(4)]
    for job in jobs:
        ended(client, job.id)
    records = client.ledger.records([job.id for job in jobs])
    written = [(client.results.root / job.id / "report.html").stat().st_mtime * 1000 for job in jobs]
    overlaps = [after.started <= report for report, after in zip(written, records[1:], strict=False)]
    assert any(overlaps), [(record.started, record.finished) for record in records]

    last = client.submit("autoencoder", "train", data="digits", epochs=20, seed=6)
    stage = "writing the report"
    until(lambda: progress_of(client, last.id).get("stage") == stage, 60, stage)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(40)
    job = client.job(last.id)
    assert (job.state, job.attempt) == ("succeeded", 1), workers.logs()
    assert no_staging(client)
    assert on_the_index(client) == client.results.ids()


@pytest.mark.chaos
def test_a_job_that_kills_its_worker_each_time_has_failed_after_three(
    client: Client, workers: Workers
) -> None:
    [worker] = workers.start()
    job = client.submit("autoencoder", "train", **LONG)
    for attempt in (1, 2, 3):
        until(lambda attempt=attempt: client.job(job.id).attempt == attempt, 60, f"attempt {attempt}")
        running(client, job.id, epochs=1)
        workers.child_of(worker).kill()
    failed = ended(client, job.id)
    assert (failed.state, failed.error) == ("failed", "its worker died three times")
    folder = until(lambda: client.results.find(job.id), 20, "the folder of the failure")
    assert folder.verify() == []
    assert "its worker died three times" in (folder.path / "report.html").read_text()
    # The worker is fit for the next job.
    after = client.submit("autoencoder", "train", data="digits", epochs=1)
    assert ended(client, after.id).state == "succeeded"


@pytest.mark.chaos
def test_fifty_jobs_each_delivered_twice_to_two_workers_are_fifty_folders(
    client: Client, workers: Workers
) -> None:
    jobs = [
        client.submit("autoencoder" if i % 2 else "denoiser", "train", data="digits", epochs=1, seed=i)
        for i in range(50)
    ]
    queue = list_of("train", "normal")
    for message in client.ledger.redis.lrange(queue, 0, -1):
        client.ledger.redis.lpush(queue, message)
    assert client.ledger.redis.llen(queue) == 100
    workers.start(2)
    for job in jobs:
        done = ended(client, job.id, 300)
        assert (done.state, done.attempt) == ("succeeded", 1), workers.logs()
    until(lambda: client.ledger.redis.llen(queue) == 0, 20, "the empty queue")
    newest_first = [job.id for job in reversed(jobs)]
    assert client.results.ids() == newest_first
    until(lambda: on_the_index(client) == newest_first, 20, "the index")
    assert all(client.folder(job.id).verify() == [] for job in jobs)
    assert {client.folder(job.id).job["worker"].split("@")[0] for job in jobs} == {"w1", "w2"}
    assert no_staging(client)
