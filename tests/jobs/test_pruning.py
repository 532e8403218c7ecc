"""`prune` deletes what is old, and nothing that is kept, needed, or used by what stays."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from jobs import pruning
from jobs.client import Client
from jobs.errors import InvalidInput, RedisUnreachable
from jobs.job import Job
from jobs.pruning import BEST, NEEDED, OTHER, TAGGED, USED, YOUNGER, Pruned
from jobs.settings import Settings
from tests.support.ended_jobs import claimed, end, forget
from tests.sweeps.stand_in_worker import StandIn, sweep_of

LATER = "2099-01-01"
"""The folders of these jobs say that they ended on 2026-11-23."""


def ended(client: Client, action: str = "train", state: str = "succeeded", **fields: object) -> Job:
    fields = {"data": "digits", **fields} if action == "train" else fields
    job = client.submit("denoiser", action, fresh=True, **fields)
    end(client, job, state, checkpoint="a checkpoint")
    return job


def ids(pruned: Pruned) -> list[str]:
    return [job.id for job in pruned.jobs]


def test_what_is_old_goes_and_its_bytes_are_told(client: Client) -> None:
    done, failed = ended(client), ended(client, state="failed")
    forget(client, done)
    size = sum(path.stat().st_size for path in client.results.root.glob("2*/*"))
    planned = client.prune(LATER, dry_run=True)
    assert (ids(planned), planned.bytes, planned.kept) == ([failed.id, done.id], size, {})
    assert len(client.jobs()) == 2
    days = (datetime.now(UTC) - datetime(2026, 11, 23, tzinfo=UTC)) / timedelta(days=1)
    if days > 1:  # with a clock that is right
        assert client.prune(f"{days + 1:.0f}d").kept == {YOUNGER: 2}
    assert client.prune("2026-11-23T22:16:34Z").kept == {YOUNGER: 2}
    assert client.prune(LATER, state="failed").kept == {OTHER: 1}
    assert ids(client.prune(LATER, model="denoiser")) == [done.id]
    assert client.jobs() == []
    assert client.prune(LATER).jobs == []


def test_what_unfinished_jobs_need_and_what_stays_used_stays(client: Client) -> None:
    model, resumed, start = ended(client), ended(client, seed=1), ended(client, seed=2)
    alone = client.resume(start, "+5")
    end(client, alone, checkpoint="a checkpoint")
    baseline = client.submit("autoencoder", "train", data="digits")
    end(client, baseline)
    reader = client.submit("denoiser", "evaluate", source=model.id)
    going_on = client.resume(resumed, "+5")
    claimed(client, going_on)
    measured = ended(client, "evaluate", source=alone.id, baseline=baseline.id, tags=["paper"])
    again = ended(client, "generate", source=alone.id)
    pruned = client.prune(LATER, keep_tagged=True)
    assert ids(pruned) == [again.id]
    assert pruned.kept == {TAGGED: 1, NEEDED: 2, USED: 3}
    client.tag(measured, remove=["paper"])
    assert set(ids(client.prune(LATER, keep_tagged=True))) == {measured.id, alone.id, start.id, baseline.id}
    assert {job.id for job in client.jobs()} == {model.id, resumed.id, reader.id, going_on.id}


def test_the_best_of_each_kind_and_of_each_sweep_stay(client: Client) -> None:
    goal = {"name": "validation_bce", "goal": "maximize"}  # not the direction that the model says
    client.create_sweep(sweep_of(metric=goal))
    StandIn(client).run()
    best_trial = max(client.jobs(), key=lambda job: job.metrics["validation_bce"])
    numbers = {"best": 0.1, "second": 0.2, "third": 0.3, "without": None}
    for name, number in numbers.items():
        job = client.submit("autoencoder", "train", data="digits", name=name, fresh=True)
        metrics = "{}" if number is None else json.dumps({"validation_bce": number})
        end(client, job, metrics=metrics)
    failed = client.submit("autoencoder", "train", data="digits", name="failed", fresh=True)
    end(client, failed, "failed", metrics='{"validation_bce": 0.0}')
    pruned = client.prune(LATER, keep_best=2, sweep="bowl", dry_run=True)
    assert pruned.kept == {OTHER: 5, BEST: 2}
    pruned = client.prune(LATER, keep_best=1)
    assert pruned.kept == {BEST: 2}
    assert {job.name or job.id for job in client.jobs()} == {"best", best_trial.name}


def test_what_comes_to_be_needed_after_it_was_asked_stays(client: Client) -> None:
    model, other = ended(client), ended(client, seed=1)
    planned = client.prune(LATER, dry_run=True)
    client.submit("denoiser", "evaluate", source=model.id)
    late = ended(client, seed=2)
    assert [(job.id, job.error) for job in client.prune(LATER, planned=planned).jobs] == [(other.id, None)]
    done = pruning.prune(client._known, planned)  # as if it was submitted a moment later
    assert [job.error is None for job in done.jobs] == [False, False]
    assert f"got {model.id}, which job" in (done.jobs[1].error or "")
    assert done.bytes == 0
    assert client.folder(model).verify() == []
    assert client.job(late).state == "succeeded"


def test_wrong_values_are_named_and_without_redis_nothing_goes(client: Client, settings: Settings) -> None:
    for older, best in (("90x", None), ("", None), ("90d", -1), ("90d", True)):
        with pytest.raises(InvalidInput) as caught:
            client.prune(older, keep_best=best)
        assert caught.value.field == ("older" if best is None else "keep_best")
    with pytest.raises(InvalidInput, match=r"model: expected one of .*, got 'densoier'"):
        client.prune(LATER, model="densoier")
    job = ended(client)
    alone = Client(settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")}))
    with pytest.raises(RedisUnreachable):
        alone.prune(LATER)
    assert client.folder(job).verify() == []
