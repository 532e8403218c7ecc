"""What an attempt finds of the attempts and jobs before it, when they were cut short in unusual ways."""

import contextlib
import json
import multiprocessing
import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from jobs.claim import Claim
from jobs.client import Client
from jobs.errors import LeaseLost
from jobs.ids import new_job_id
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.results import Results
from jobs.store.staging import STAGING
from worker.context import JobContext
from worker.engine.attempt import Attempt
from worker.engine.ended_jobs import record_loss
from worker.engine.held_job import HeldJob
from worker.engine.inputs import take_checkpoint
from worker.engine.upkeep_round import Round
from worker.training.checkpoint import Checkpoint

SPEC = JobSpec.make("autoencoder", "train", data="digits")


@pytest.fixture
def upkeep(client: Client, settings: Settings) -> Round:
    return Round(client.ledger, client.results, settings)


def queued(client: Client, continues: str | None = None) -> str:
    job_id = new_job_id()
    client.ledger.submit(job_id, SPEC, continues)
    return job_id


def claimed(client: Client, job_id: str) -> HeldJob:
    claim = client.ledger.claim(job_id, "w", os.getpid(), secrets.token_hex(8))
    assert claim is not None
    return HeldJob(client.settings, client.ledger, claim, claim.record(), client.results)


def begun(client: Client, job_id: str) -> tuple[HeldJob, JobContext]:
    held = claimed(client, job_id)
    context = Attempt(held)._stage()
    take_checkpoint(context, held)
    return held, context


def write(path: Path, epochs: int) -> None:
    history = [{"epoch": float(epoch + 1), "loss": 1.0} for epoch in range(epochs)]
    Checkpoint(epoch=epochs, history=history).write(path)


def epochs(context: JobContext) -> int:
    return Checkpoint.position(context.checkpoint)[0] if context.checkpoint.exists() else 0


def test_a_job_that_was_handed_back_and_then_cancelled_is_retried_from_its_checkpoint(
    client: Client, upkeep: Round
) -> None:
    job_id = queued(client)
    held, context = begun(client, job_id)
    write(context.checkpoint, 5)
    client.ledger.hand_back(held.claim, "w is shutting down")
    client.cancel(job_id)
    upkeep.run()
    folder = client.folder(job_id)
    assert folder.verify() == []
    assert (folder.job["state"], len(folder.history)) == ("cancelled", 5)
    assert not any((client.results.root / STAGING).iterdir())
    _, again = begun(client, queued(client, continues=job_id))
    assert epochs(again) == 5


@pytest.mark.parametrize("swept", [True, False])
def test_a_retry_of_retries_that_never_began_finds_the_checkpoint(
    client: Client, upkeep: Round, swept: bool
) -> None:
    last = queued(client)
    held, context = begun(client, last)
    write(context.checkpoint, 3)
    client.ledger.record_loss(held.claim, 1, "killed")
    for _ in range(3):
        last = queued(client, continues=last)
        client.cancel(last)
        if swept:
            upkeep.run()
    _, again = begun(client, queued(client, continues=last))
    assert epochs(again) == 3


def test_two_claims_of_one_number_do_not_write_into_one_folder(client: Client) -> None:
    """Redis lost the tail of its file between the two."""
    job_id = queued(client)
    key = f"quartet:job:{job_id}"
    before = client.ledger.redis.hgetall(key)
    first, context = begun(client, job_id)
    write(context.checkpoint, 7)
    client.ledger.redis.delete(key, "quartet:claims", "quartet:state:running")
    client.ledger.redis.hset(key, mapping=before)
    second, taken = begun(client, job_id)
    assert first.claim.attempt == second.claim.attempt == 1
    assert first.staging != second.staging
    assert epochs(taken) == 7
    with pytest.raises(LeaseLost):
        client.results.publish(first.claim, 0o022)
    with pytest.raises(FileNotFoundError):
        write(context.checkpoint, 8)
    assert client.results.publish(second.claim, 0o022).id == job_id


def test_a_claim_that_was_superseded_before_it_began_leaves_the_folder_of_the_other_alone(
    client: Client,
) -> None:
    job_id = queued(client)
    first = claimed(client, job_id)
    client.ledger.record_loss(first.claim, 9, "killed")
    second, context = begun(client, job_id)
    write(context.checkpoint, 2)
    with pytest.raises(LeaseLost):
        Attempt(first)._stage()
    assert epochs(context) == 2
    assert second.staging.is_dir()


def test_the_newest_checkpoint_is_taken_over_whatever_the_numbers_say(client: Client) -> None:
    """A Redis that lost the tail of its file gives numbers again that were given before."""
    job_id = queued(client)
    for number, token, done, age in ((2, "aa", 9, 0), (7, "bb", 4, 60)):
        path = client.results.root / STAGING / f"{job_id}.{number}.{token}" / CHECKPOINT
        path.parent.mkdir(parents=True)
        write(path, done)
        written = path.stat().st_mtime - age
        os.utime(path, (written, written))
    _, context = begun(client, job_id)
    assert epochs(context) == 9


def test_a_folder_that_the_first_edition_staged_is_taken_over(client: Client) -> None:
    job_id = queued(client)
    path = client.results.root / STAGING / f"{job_id}.3" / CHECKPOINT
    path.parent.mkdir(parents=True)
    write(path, 6)
    _, context = begun(client, job_id)
    assert epochs(context) == 6


def test_what_a_round_removes_was_published_or_taken_over(client: Client, upkeep: Round) -> None:
    waiting, running = queued(client), queued(client)
    held, context = begun(client, waiting)
    write(context.checkpoint, 1)
    client.ledger.record_loss(held.claim, 9, "killed")
    second, context = begun(client, running)
    write(context.checkpoint, 1)
    left = client.results.root / STAGING / f"{new_job_id()}.1.aa"
    left.mkdir()
    upkeep.run()
    assert left.is_dir(), "Redis may have lost this job, which `quartet rebuild` restores"
    assert client.results.staged(waiting)
    assert client.results.staged(running) == [second.staging]


def publish_each(root: str, job_ids: list[str], barrier: Any) -> None:
    results = Results(Path(root))
    for job_id in job_ids:
        barrier.wait(60)
        claim = Claim(job_id, 3, secrets.token_hex(8))
        with contextlib.suppress(LeaseLost, FileNotFoundError):
            if results.find(job_id) is None:
                (results.stage(claim) / "job.json").write_text("{}")
                results.publish(claim, 0o022)


def test_of_two_processes_that_publish_a_job_one_does_and_with_its_checkpoint(client: Client) -> None:
    job_ids = [new_job_id() for _ in range(100)]
    for job_id in job_ids:
        (client.results.stage(Claim(job_id, 2, "aa")) / CHECKPOINT).write_bytes(b"weights")
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    arguments = (str(client.results.root), job_ids, barrier)
    both = [context.Process(target=publish_each, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert client.results.ids() == job_ids[::-1]
    assert all((client.results.root / job_id / CHECKPOINT).exists() for job_id in job_ids)


def test_a_job_whose_last_worker_dies_after_it_published_has_succeeded(client: Client, upkeep: Round) -> None:
    job_id = queued(client)
    waiting = client.submit("autoencoder", "evaluate", source=job_id)
    held, _ = begun(client, job_id)
    job = JobFolder(held.staging).job | {"state": "succeeded"}
    (held.staging / "job.json").write_text(json.dumps(job))
    client.results.publish(held.claim, 0o022)
    state = record_loss(client.ledger, client.results, held.claim, 1, "killed")
    assert state == "succeeded"
    assert client.job(waiting.id).state == "queued"
    upkeep.run()
    assert client.job(job_id).state == "succeeded"
