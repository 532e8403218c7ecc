"""What Quartet 0.1 left in Redis and in its results folder goes on working.

`tests/fixtures/first_edition.tar.gz` was made by version 0.1.0: the folder of a training job, and a Redis (as JSON)
with three jobs that wait, one of them for another one, and one that was cancelled.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import lists, read
from tests.support.processes import Workers, ended, until
from worker.engine.upkeep_round import Round

FIXTURE = Path(__file__).parent.parent / "fixtures" / "first_edition.tar.gz"
TRAINED = "20261126-235650-621-g3wn"


def load(ledger: Ledger, results: Path) -> dict[str, str]:
    """Put the fixture into a Redis and a results folder.

    Returns:
        Model and action -> the id of the job that has not been run.
    """
    results.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(results.parent, filter="data")
        member = archive.extractfile("redis.json")
        assert member is not None
        keys: dict[str, Any] = json.load(member)
    write = {
        "hash": lambda key, value: ledger.redis.hset(key, mapping=value),
        "zset": lambda key, value: ledger.redis.zadd(key, value),
        "set": lambda key, value: ledger.redis.sadd(key, *value),
        "list": lambda key, value: ledger.redis.rpush(key, *value),
    }
    for key, content in keys.items():
        write[content["type"]](key, content["value"])
    jobs = [content["value"] for key, content in keys.items() if key.startswith("quartet:job:")]
    ids = [key.removeprefix("quartet:job:") for key in keys if key.startswith("quartet:job:")]
    specs = [json.loads(job["spec"]) for job in jobs]
    return {
        f"{spec['model']} {spec['action']}": job_id
        for job_id, job, spec in zip(ids, jobs, specs, strict=True)
        if job["state"] in ("waiting", "queued", "cancelled")
    }


@pytest.fixture
def left(client: Client) -> dict[str, str]:
    return load(client.ledger, client.results.root)


def test_its_jobs_are_listed_and_its_folder_is_read(client: Client, left: dict[str, str]) -> None:
    jobs = {job.id: job for job in client.jobs()}
    assert set(left.values()) | {TRAINED} <= set(jobs)
    assert jobs[TRAINED].kind == "textgen train"
    assert jobs[TRAINED].state == "succeeded"
    assert client.job("rhymes").id == TRAINED
    assert client.folder(TRAINED).verify() == []
    assert client.job(left["autoencoder evaluate"]).state == "waiting"


def test_its_queued_jobs_keep_what_was_set_and_no_default(client: Client, left: dict[str, str]) -> None:
    record = client.ledger.record(left["textgen generate"])
    assert record is not None
    assert record.spec.parameters.model_fields_set == {"prompt", "length"}


def test_a_round_of_the_sweeper_brings_its_records_up_to_date(client: Client, left: dict[str, str]) -> None:
    ledger = client.ledger
    Round(ledger, client.results, client.settings).run()
    assert client.job("queued").id == left["autoencoder train"]
    redis = ledger.redis
    assert set(redis.zrange("quartet:jobs", 0, -1, withscores=True)) == {
        (job_id, 0.0) for job_id in ledger.ids()
    }
    for job_id in left.values():
        assert not redis.hexists(f"quartet:job:{job_id}", "message")
    cancelled = client.results.find(left["denoiser train"])
    assert cancelled is not None
    assert cancelled.job["state"] == "cancelled"
    redis.delete(*lists())
    assert ledger.resend(0) + ledger.resend(0) == 2, "their messages are sent again like any other"
    for name in lists():
        for text in redis.lrange(name, 0, -1):
            message = read(text)
            assert message is not None
            assert message.task in ("textgen.generate", "autoencoder.train")


def test_its_running_job_is_found_when_its_worker_is_gone(client: Client, left: dict[str, str]) -> None:
    """A worker of 0.1 keeps its lease in a sorted set, and has its process id in the token."""
    ledger, job_id = client.ledger, left["autoencoder train"]
    key = f"quartet:job:{job_id}"
    ledger.redis.hset(
        key, mapping={"state": "running", "attempt": 1, "token": "123.abc", "worker": "old@box"}
    )
    ledger.redis.zrem("quartet:state:queued", job_id)
    ledger.redis.zadd("quartet:state:running", {job_id: 1})
    ledger.redis.zadd("quartet:leases", {job_id: 1795736097104})
    [held] = ledger.held()
    assert (held.claim.job_id, held.claim.attempt, held.claim.token) == (job_id, 1, "123.abc")
    record = ledger.record(job_id)
    assert record is not None
    assert record.process == 123
    assert ledger.record_loss(held.claim, 3, "no heartbeat") == "queued"
    assert ledger.held() == []


@pytest.mark.chaos
def test_its_jobs_are_run_and_its_model_is_used_and_trained_further(
    client: Client, left: dict[str, str], workers: Workers
) -> None:
    workers.start()
    for kind in ("textgen generate", "autoencoder train", "autoencoder evaluate"):
        assert ended(client, left[kind]).state == "succeeded", workers.logs()
    until(lambda: client.results.find(left["denoiser train"]), 30, "the folder of the cancelled job")
    evaluation = client.submit("textgen", "evaluate", source=TRAINED, data="pydoc")
    further = client.resume(left["autoencoder train"], "+1")
    assert ended(client, evaluation.id).state == "succeeded", workers.logs()
    assert ended(client, further.id).state == "succeeded", workers.logs()
    assert len(client.folder(further.id).history) == 2
