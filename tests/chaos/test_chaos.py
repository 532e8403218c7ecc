"""Everything is killed, frozen, restarted, lost and doubled; every job still ends exactly once.

`QUARTET_CHAOS_JOBS` jobs (`make chaos`: 60) in a storm that `QUARTET_CHAOS_SEED` chooses: which faults
come in which order, whom they hit and how long after each other is the same for the same seed.
"""

import contextlib
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.errors import RedisUnreachable
from jobs.ledger.job_record import ENDED
from jobs.settings import read_settings
from jobs.specs.stored_spec import StoredSpec
from jobs.store.staging import STAGING
from tests.chaos.storm import Storm
from tests.support.processes import RestartableRedis, Workers, ended, until, volume
from tests.support.same_bits import check_same_bits

SEED = int(os.environ.get("QUARTET_CHAOS_SEED", "1"))
JOBS = int(os.environ.get("QUARTET_CHAOS_JOBS", "20"))
WORKERS = 3
FAULTS = 20 if JOBS < 40 else 200
"""How many faults there are at least; the storm also lasts until half of the jobs have ended."""

TRAININGS = [
    ("autoencoder", {"data": "digits", "epochs": 1000}, {"count": 3}),
    ("denoiser", {"data": "digits", "epochs": 1000}, {"count": 3}),
    (
        "textgen",
        {"data": "pydoc", "epochs": 20, "units": 16, "batch_size": 256},
        {"prompt": "The", "length": 40},
    ),
    (
        "sentiment",
        {"data": "toy-reviews", "epochs": 10},
        {"text": ["The plot is dull."]},
    ),
]
"""Model, what to train it with, what to generate with it."""

STATED = r"^(the results volume .* is full|job .*, which it depends on, (failed|was cancelled)|it had not started)$"
"""What a job may fail with in a storm that fills the disk: nothing else went wrong."""


@pytest.fixture
def storm(tmp_path: Path, restartable: RestartableRedis) -> Iterator[Storm]:
    settings = read_settings(
        redis_url=restartable.address,
        results_dir=tmp_path / "results",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        lease_seconds=4,
        heartbeat_seconds=0.5,
        sweep_seconds=0.5,
        checkpoint_seconds=1,
        max_lost_workers=100,
        min_free_gb=0,
    )
    (tmp_path / "logs").mkdir()
    least = settings.model_copy(update={"redis_url": SecretStr(restartable.worker_address)})
    workers = Workers(least, tmp_path / "logs")
    with volume(settings.results_dir, "size=200m"):
        workers.start(WORKERS)
        yield Storm(workers, Client(settings), restartable, SEED)
        workers.end()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_every_job_ends_exactly_once_and_every_training_with_its_own_bits(
    storm: Storm, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    client = storm.client
    began = time.monotonic()
    jobs = submit_all(client)
    stop = threading.Event()
    raging = threading.Thread(target=storm.rage, args=[stop])
    raging.start()
    while True:
        time.sleep(1)
        assert raging.is_alive()
        with contextlib.suppress(RedisUnreachable):
            done = sum(client.results.find(job_id) is not None for job_id in jobs)
            if sum(storm.count.values()) >= FAULTS and done >= len(jobs) // 2:
                break
    stop.set()
    raging.join()
    storm.calm()
    raged = time.monotonic() - began
    jobs += storm.retried
    for job_id in jobs:
        ended(client, job_id, 900)
    until(lambda: not client.ledger.unpublished(), 60, "a folder for each failure")
    until(lambda: not any((client.results.root / STAGING).iterdir()), 60, "the removal of staging")

    found = [client.job(job_id) for job_id in jobs]
    states = Counter(job.state for job in found)
    say(
        f"chaos, seed {SEED}: {len(jobs)} jobs, {sum(job.attempt for job in found)} attempts, {dict(states)}; "
        f"{sum(storm.count.values())} faults in {raged:.0f} s: {dict(storm.count)}; "
        f"all ended after {time.monotonic() - began:.0f} s"
    )
    check_ends(client, jobs)
    check_leases(client, jobs)
    for job in found:
        assert job.error is None or re.search(STATED, job.error), job.error
    hit = check_bits(client, jobs)
    say(f"{hit} training jobs were resumed after a fault, to the bits of one that was left alone")
    assert hit, "the storm hit no training that succeeded"
    # A full disk fails a training job and the jobs that depend on it.
    assert states["succeeded"] > JOBS // 3


def submit_all(client: Client) -> list[str]:
    jobs: list[str] = []
    number = 0
    while len(jobs) < JOBS:
        model, training, generating = TRAININGS[number % len(TRAININGS)]
        trained = client.submit(model, "train", seed=number // len(TRAININGS) % 2, fresh=True, **training)
        jobs += [trained.id, client.submit(model, "generate", source=trained.id, fresh=True, **generating).id]
        jobs.append(client.submit(model, "evaluate", source=trained.id, fresh=True).id)
        number += 1
    return jobs


def check_ends(client: Client, jobs: list[str]) -> None:
    """Every job has exactly one folder, which says how it ended; a failure says why."""
    assert sorted(client.results.ids()) == sorted(jobs)
    for job_id in jobs:
        job, folder = client.job(job_id), client.folder(job_id)
        ends = [e for e in client.timeline(job_id) if e["text"].split(":")[0] in ENDED]
        assert len(ends) == 1, job_id
        assert folder.verify() == []
        assert (folder.job["state"], folder.job["error"]) == (job.state, job.error)
        assert job.state != "failed" or job.error is not None


def check_leases(client: Client, jobs: list[str]) -> None:
    """Between two starts of a job it was queued again: no two attempts held it at once."""
    for job_id in jobs:
        held = False
        for entry in client.timeline(job_id):
            text = entry["text"]
            if re.match(r"(started|attempt \d+ started) on", text):
                assert not held, client.timeline(job_id)
                held = True
            elif "queued" in text or text.split(":")[0] in ENDED:
                held = False


def check_bits(client: Client, jobs: list[str]) -> int:
    """Every training job has the weights of an undisturbed one; how many of them were resumed."""
    trained = [
        job for job in map(client.job, jobs) if job.spec.action == "train" and job.state == "succeeded"
    ]
    specs = {StoredSpec.of(job.spec).to_json(): job.spec for job in trained}
    # All at once, for several workers are free.
    control = {text: client.submit_spec(spec, fresh=True).id for text, spec in specs.items()}
    for job_id in control.values():
        assert ended(client, job_id, 240).attempt == 1
    hit = 0
    for job in trained:
        hit += any(entry["text"].startswith("resumed from epoch") for entry in client.timeline(job.id))
        check_same_bits(client.folder(job.id), client.folder(control[StoredSpec.of(job.spec).to_json()]))
    return hit
