"""Lists are filtered and sorted alike, wherever a job is known from."""

import json
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import InvalidInput
from jobs.finding.wanted import MOST_NAMED
from jobs.job import Job
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from tests.support.report_folders import job_record, write_folder


def published(
    client: Client, job_id: str, kind: str, name: str | None = None, metrics: Any = None, **changes: Any
) -> None:
    model, action = kind.split()
    fields: dict[str, Any] = {"from": "20200101-000000-000-aaaa"} if action != "train" else {}
    spec = JobSpec.make(model, action, data="digits", name=name, **fields)
    record = job_record(spec, job_id=job_id, **{"continues": None, **changes})
    files = {"metrics.json": json.dumps(metrics)} if metrics else {}
    History(client.results).add(JobFolder(write_folder(client.results.root, record, files)))


A, B, C, D = (f"2026110{day}-120000-000-{day * 4}" for day in "2345")


@pytest.fixture
def four(client: Client) -> Client:
    """A client with four finished jobs, a running one and a queued one."""
    published(client, A, "autoencoder train", "noise-0.3", {"psnr_db": 17.5, "bce": 0.09, "speed": 3})
    published(client, B, "denoiser train", "Noise-0.5", {"psnr_db": 16.0, "bce": 0.12})
    published(client, C, "denoiser evaluate", "wide", {"psnr_db": 18.5, "bce": 0.11, "speed": 5})
    published(client, D, "denoiser train", None, state="failed", error="it broke")
    running = client.submit("denoiser", "train", data="digits", name="noise-now")
    assert client.ledger.claim(running.id, "w", 30, "00112233") is not None
    client.submit("autoencoder", "train", data="digits")
    return client


def names(jobs: list[Job]) -> list[str]:
    return [job.name or job.id if job.id in (A, B, C, D) else job.state for job in jobs]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["queued", "running", D, "wide", "Noise-0.5", "noise-0.3"]),
        ({"model": "denoiser"}, ["running", D, "wide", "Noise-0.5"]),
        ({"model": "denoiser", "action": "train"}, ["running", D, "Noise-0.5"]),
        ({"action": "evaluate"}, ["wide"]),
        ({"name": "noise"}, ["running", "Noise-0.5", "noise-0.3"]),
        ({"name": "noise-0.?"}, ["Noise-0.5", "noise-0.3"]),
        ({"name": "*e"}, ["wide"]),
        ({"name": "i"}, ["running", "wide", "Noise-0.5", "noise-0.3"]),
        ({"name": "nobody"}, []),
        ({"since": "2026-11-04T00:00Z"}, ["queued", "running", D, "wide"]),
        ({"since": "1h"}, ["queued", "running"]),
        ({"state": "succeeded", "model": "denoiser"}, ["wide", "Noise-0.5"]),
        ({"state": "running", "model": "autoencoder"}, []),
        ({"state": "failed", "since": "2026-11-05T13:00Z"}, []),
        ({"model": "denoiser", "newest": 2}, ["running", D]),
        ({"action": "evaluate", "newest": 1}, ["wide"]),
    ],
)
def test_a_list_shows_the_jobs_that_are_wanted(four: Client, given: dict[str, Any], found: list[str]) -> None:
    assert names(four.jobs(**given)) == found


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        ("psnr_db", ["wide", "noise-0.3", "Noise-0.5", D, "queued", "running"]),
        ("bce", ["noise-0.3", "wide", "Noise-0.5", D, "queued", "running"]),
        ("speed", ["wide", "noise-0.3", D, "Noise-0.5", "queued", "running"]),
    ],
)
def test_the_best_come_first_as_the_models_say_and_what_has_not_ended_last(
    four: Client, metric: str, found: list[str]
) -> None:
    assert names(four.jobs(sort=metric)) == found
    assert names(four.jobs(sort=metric, newest=1)) == [found[0], "queued", "running"]


@pytest.mark.parametrize(
    ("given", "field", "hint"),
    [
        ({"sort": "psnr"}, "sort", "did you mean 'psnr_db'?"),
        ({"sort": "nothing at all"}, "sort", None),
        ({"model": "denoisr"}, "model", "did you mean 'denoiser'?"),
        ({"action": "trian"}, "action", "did you mean 'train'?"),
        ({"state": "done"}, "state", None),
        ({"since": "yesterday"}, "since", None),
        ({"name": ""}, "name", None),
        ({"model": 3}, "model", None),
    ],
)
def test_what_no_job_can_be_is_refused(four: Client, given: Any, field: str, hint: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        four.jobs(**given)
    assert (caught.value.field, caught.value.hint) == (field, hint)


def test_of_many_numbers_only_the_closest_is_named(client: Client) -> None:
    published(client, A, "denoiser train", None, {f"number_{each}": 1.0 for each in range(MOST_NAMED + 1)})
    for given, hint in [("numbr_3", "did you mean 'number_3'?"), ("x", "`quartet list --json` shows them")]:
        with pytest.raises(
            InvalidInput, match="sort: expected a number that one of these jobs has"
        ) as caught:
            client.jobs(sort=given)
        assert str(caught.value.hint).startswith(hint)


def test_a_list_without_jobs_has_nothing_to_sort(client: Client) -> None:
    assert client.jobs(sort="psnr_db") == []


def test_jobs_of_a_model_that_is_not_installed_are_found(four: Client) -> None:
    spec = {"schema": 2, "model": "vae", "action": "train", "parameters": {}}
    record = job_record(spec, job_id="20261106-120000-000-vvvv", continues=None)
    History(four.results).add(JobFolder(write_folder(four.results.root, record)))
    assert [job.model for job in four.jobs(model="vae")] == ["vae"]


def test_warnings_and_numbers_are_those_of_the_folder_also_while_redis_knows_the_job(four: Client) -> None:
    job = four.submit("denoiser", "train", data="digits")
    claim = four.ledger.claim(job.id, "w", 30, "00112233")
    assert claim is not None
    published(four, job.id, "denoiser train", None, {"psnr_db": 9.0}, warnings=["worse than the mean", "b"])
    four.ledger.finish(claim, "succeeded", finished=1, folder=job.id)
    [listed] = [each for each in four.jobs() if each.id == job.id]
    assert (listed.warnings, listed.metrics) == (("worse than the mean",), {"psnr_db": 9.0})
    shown = four.job(job.id)
    assert (shown.warnings, shown.metrics) == (("worse than the mean", "b"), {"psnr_db": 9.0})
    assert shown.in_redis
    [(watched, _)] = four.watch(job.id)
    assert watched.warnings == shown.warnings


def test_the_progress_of_all_running_jobs_is_one_question(
    four: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        job = four.submit("denoiser", "train", data="digits")
        claim = four.ledger.claim(job.id, "w", 30, "00112233")
        assert claim is not None
        four.ledger.progress(claim, {"epoch": number})
    running, asked = four.jobs("running"), []
    ask = four.ledger.ask
    monkeypatch.setattr(four.ledger, "ask", lambda question: (asked.append(1), ask(question))[1])
    found = four.progress(four.jobs("running"))
    assert sorted(each.get("epoch", -1) for each in found.values()) == [-1, 0, 1, 2]
    del asked[:]
    assert four.progress(running) == found
    assert len(asked) == 1
    four.ledger.redis.xadd(f"quartet:progress:{running[0].id}", {"values": "{"})
    assert four.progress(running)[running[0].id] == {}
    assert four.progress([]) == {}
