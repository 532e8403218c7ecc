"""A reference names one job, or is refused with the jobs that it may mean."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.errors import UnknownJob
from jobs.ids import new_job_id
from jobs.job import Job
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.saved_records import save_records
from tests.support.report_folders import job_record, write_folder


def train(client: Client, model: str = "denoiser", **fields: Any) -> Job:
    return client.submit(model, "train", data="digits", **fields)


def published(client: Client, name: str, model: str = "denoiser", **changes: Any) -> str:
    """The id of a training job that has a folder and that Redis does not know."""
    spec = JobSpec.make(model, "train", data="digits", name=name)
    record = job_record(spec, job_id=new_job_id(), **{"continues": None, **changes})
    folder = JobFolder(write_folder(client.results.root, record))
    History(client.results).add(folder)
    return folder.id


def refused(call: Callable[[], Any]) -> UnknownJob:
    with pytest.raises(UnknownJob) as caught:
        call()
    assert caught.value.expected == "an unambiguous reference"
    return caught.value


def test_a_name_of_two_training_jobs_is_refused_with_id_model_and_age(client: Client) -> None:
    old, new = published(client, "twice"), train(client, name="twice")
    for field, call in {
        "from": lambda: client.submit("denoiser", "evaluate", source="twice"),
        "job": lambda: client.retry("twice"),
    }.items():
        error = refused(call)
        assert error.field == field
        given = re.sub(r"\d+ (s|min|h|days) ago", "AGO", error.given)
        assert given == (
            f"'twice', the name of 2 jobs: {new.id} (denoiser train, AGO), {old} (denoiser train, AGO)"
        )
        assert error.hint == f"an id names one job, and so does {new.id[-4:]!r}, the end of the newest one"
    assert len(client.jobs()) == 2
    assert client.submit("denoiser", "evaluate", source=old[-4:]).stored.source == old


def test_a_baseline_of_an_ambiguous_name_is_refused(client: Client) -> None:
    for _ in range(2):
        train(client, "autoencoder", name="basic")
    source = train(client).id
    error = refused(lambda: client.submit("denoiser", "evaluate", source=source, baseline="basic"))
    assert error.field == "baseline"


@pytest.mark.parametrize("call", ["job", "cancel", "retry", "resume", "folder", "timeline", "wait"])
def test_an_ambiguous_name_is_refused_wherever_a_job_is_named(client: Client, call: str) -> None:
    published(client, "twice")
    published(client, "twice", state="failed", error="it broke")
    refused(lambda: getattr(client, call)("twice"))


def test_a_name_means_the_one_job_that_can_be_used(client: Client) -> None:
    training = train(client, name="same")
    evaluation = client.submit("denoiser", "evaluate", source="same", name="same")
    train(client, "autoencoder", name="same")
    client.cancel(train(client, name="same").id)
    assert evaluation.stored.source == training.id
    assert client.submit("denoiser", "evaluate", source="same").stored.source == training.id
    refused(lambda: client.job("same"))


def test_a_name_that_was_continued_means_the_last_job(client: Client) -> None:
    first = published(client, "chain")
    failed = published(client, "chain", continues=first, state="failed", error="it broke")
    assert client.resolve("chain") == failed
    assert client.make_spec("denoiser", "evaluate", source="chain", parameters={}).source == first
    last = published(client, "chain", continues=failed)
    assert client.resolve("chain") == last
    assert client.make_spec("denoiser", "evaluate", source="chain", parameters={}).source == last
    retried = train(client, name="again")
    client.cancel(retried.id)
    new = client.retry("again")
    assert client.resolve("again") == new.id


def test_without_redis_an_ambiguous_name_is_refused_as_well(client: Client) -> None:
    published(client, "twice")
    published(client, "twice")
    once = published(client, "once")
    address = SecretStr("redis://127.0.0.1:1/0")
    away = Client(client.settings.model_copy(update={"redis_url": address}))
    assert away.resolve("once") == once
    refused(lambda: away.resolve("twice"))


@pytest.mark.parametrize("part", [slice(-4, None), slice(9, None), slice(9, 24), slice(0, 22), slice(14, 21)])
def test_a_part_that_one_id_has_names_its_job(client: Client, part: slice) -> None:
    jobs = {
        "20261123-221530-042-k7qd": "queued",
        "20261123-101112-713-abcd": "published",
        "20250101-000000-555-zzzz": "published",
    }
    for job_id in jobs:
        spec = JobSpec.make("denoiser", "train", data="digits")
        if jobs[job_id] == "queued":
            client.ledger.submit(job_id, spec)
            continue
        folder = write_folder(client.results.root, job_record(spec, job_id=job_id, continues=None))
        History(client.results).add(JobFolder(folder))
    for job_id in jobs:
        assert client.resolve(job_id[part]) == job_id
    source = "20261123-221530-042-k7qd"[part]
    spec = client.make_spec("denoiser", "evaluate", source=source, parameters={})
    assert spec.source == "20261123-221530-042-k7qd"


def test_a_part_is_tried_last_and_has_four_characters(client: Client) -> None:
    job, other = train(client), train(client, "autoencoder")
    named = train(client, name=job.id[-4:])
    assert client.resolve(job.id[-4:]) == named.id
    assert client.resolve(other.id[-5:]) == other.id
    for short in (other.id[-3:], other.id[-1]):
        with pytest.raises(UnknownJob, match="4 or more characters of it"):
            client.resolve(short)
    many = [train(client).id for _ in range(3)]
    error = refused(lambda: client.resolve(job.id[:9]))
    assert error.given.startswith(f"{job.id[:9]!r}, a part of several jobs: {many[-1]} (denoiser train, ")
    assert error.given.endswith(", …")
    assert len(error.given) < 300


def test_a_job_that_redis_lost_is_told_from_one_that_never_was(client: Client) -> None:
    job = train(client)
    save_records(client.ledger, client.results)
    client.ledger.redis.flushall()
    for call in (client.job, client.cancel, client.wait):
        with pytest.raises(UnknownJob, match="which was accepted before Redis lost its data") as caught:
            call(job.id)
        assert caught.value.hint == "`quartet rebuild` restores it"
