"""Failed jobs are queued again: each with what it needs, none twice."""

import json
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import InvalidInput, InvalidJob, JobConflict, UnknownJob
from jobs.job import Job
from jobs.retrying import Retried
from tests.cli.program import quartet_here
from tests.support.ended_jobs import fail, forget, publish


def train(client: Client, **about: Any) -> Job:
    return client.submit("denoiser", "train", data="digits", **about)


def evaluate(client: Client, training: Job, **about: Any) -> Job:
    return client.submit("denoiser", "evaluate", source=training.id, **about)


def new_ids(retried: list[Retried]) -> dict[str, str]:
    assert [each.problem for each in retried] == [None] * len(retried)
    return {each.old: each.job.id for each in retried if each.job is not None}


def test_a_retry_follows_a_job_that_it_needs_to_the_one_that_continues_it(client: Client) -> None:
    training = train(client)
    evaluation = evaluate(client, training)
    fail(client, training)
    assert client.job(evaluation.id).state == "failed"
    with pytest.raises(InvalidJob) as caught:
        client.retry(evaluation.id)
    assert str(caught.value) == (
        f"from: expected a training job that succeeded or will run, got job {training.id}, which failed"
    )
    assert caught.value.hint == (
        f"`quartet retry {training.id}` queues it again; `quartet retry --failed {evaluation.id}` retries both"
    )
    second = client.retry(training.id)
    fail(client, second)
    third = client.retry(second.id)
    again = client.retry(evaluation.id)
    assert (again.stored.source, again.state, again.continues) == (third.id, "waiting", evaluation.id)


def test_a_retry_is_followed_after_redis_has_forgotten_the_failed_job(client: Client) -> None:
    training = train(client)
    evaluation = evaluate(client, training)
    fail(client, training)
    publish(client, training)
    publish(client, evaluation)
    forget(client, client.job(training.id), client.job(evaluation.id))
    second = client.retry(training.id)
    again = client.retry(evaluation.id)
    assert (again.stored.source, again.state) == (second.id, "waiting")
    fail(client, second)
    publish(client, client.job(second.id))
    publish(client, again)
    forget(client, second, again)
    third = client.retry(second.id)
    assert client.retry(evaluation.id).stored.source == third.id


def test_a_set_is_retried_training_jobs_first_and_nothing_twice(client: Client) -> None:
    trainings = [train(client) for _ in range(2)]
    evaluations = [evaluate(client, training) for training in trainings]
    alone = client.submit("textgen", "train", data="pydoc")
    running = train(client)
    for job in (*trainings, alone):
        fail(client, job)
    new = new_ids(client.retry_failed())
    assert list(new) == sorted(job.id for job in (*trainings, alone)) + [job.id for job in evaluations]
    for training, evaluation in zip(trainings, evaluations, strict=True):
        again = client.job(new[evaluation.id])
        assert (again.state, again.stored.source) == ("waiting", new[training.id])
    assert client.job(running.id).state == "queued"
    assert client.retry_failed() == []
    fail(client, client.job(new[trainings[0].id]))
    second = new_ids(client.retry_failed())
    assert list(second) == [new[trainings[0].id], new[evaluations[0].id]]
    assert client.job(second[new[evaluations[0].id]]).stored.source == second[new[trainings[0].id]]


def test_jobs_that_are_named_bring_the_training_jobs_that_they_need(client: Client) -> None:
    training = train(client, name="t")
    evaluation = evaluate(client, training, name="e")
    other = train(client)
    fail(client, other)
    client.cancel("t")
    new = new_ids(client.retry_failed(["e", evaluation.id]))
    assert list(new) == [training.id, evaluation.id]
    assert client.job(new[evaluation.id]).stored.source == new[training.id]
    [before] = client.retry_failed([training.id])
    assert (before.old, before.job, before.earlier) == (training.id, None, new[training.id])
    with pytest.raises(JobConflict, match="expected one that failed or was cancelled"):
        client.retry_failed([new[training.id]])
    with pytest.raises(UnknownJob):
        client.retry_failed(["nobody"])


def test_all_that_failed_leaves_out_what_a_person_cancelled(client: Client) -> None:
    training = train(client)
    evaluation = evaluate(client, training)
    client.cancel(training.id)
    [left_out] = client.retry_failed()
    assert (left_out.old, left_out.job) == (evaluation.id, None)
    assert left_out.problem is not None
    assert left_out.problem.given == f"job {training.id}, which was cancelled"
    assert left_out.problem.hint == f"`quartet retry {training.id}` queues it again"


def test_a_job_that_this_version_does_not_understand_is_refused_alone(client: Client) -> None:
    odd, plain = train(client), train(client)
    for job in (odd, plain):
        fail(client, job)
    spec = '{"schema": 2, "model": "vae", "action": "train", "parameters": {"beta": 2}}'
    client.ledger.redis.hset(f"quartet:job:{odd.id}", "spec", spec)
    with pytest.raises(InvalidInput, match=r"model: expected one of .*, got 'vae'"):
        client.retry(odd.id)
    first, second = client.retry_failed()
    assert (first.old, first.job, str(first.problem)[:23]) == (odd.id, None, "model: expected one of ")
    assert (second.old, second.problem) == (plain.id, None)


def test_a_retry_keeps_what_was_set_and_not_the_defaults_of_its_day(client: Client) -> None:
    job = train(client, epochs=7, seed=3, priority="high", time_limit=50, name="n")
    client.cancel(job.id)
    again = client.retry(job.id)
    assert again.stored == job.stored
    assert again.stored.parameters == {"epochs": 7}


def test_a_job_that_ended_without_a_folder_yet_is_retried_and_not_resumed(client: Client) -> None:
    job = train(client)
    client.cancel(job.id)
    with pytest.raises(JobConflict) as caught:
        client.resume(job.id)
    assert caught.value.given == f"{job.id}, which was cancelled: it had not started"
    assert caught.value.hint == "a worker writes its folder within seconds of its end"
    assert client.retry(job.id).continues == job.id


def test_a_retry_that_never_started_is_resumed_from_the_checkpoint_before_it(client: Client) -> None:
    job = train(client, epochs=5)
    fail(client, job)
    publish(client, client.job(job.id), checkpoint="x", history="epoch,loss\n0,1\n1,1\n")
    second = client.retry(job.id)
    client.cancel(second.id)
    publish(client, client.job(second.id), state="cancelled")
    resumed = client.resume(second.id, "+3")
    assert (resumed.continues, resumed.stored.parameters) == (second.id, {"epochs": 5})


def test_quartet_retry_prints_old_and_new_ids(client: Client) -> None:
    training = train(client)
    evaluation = evaluate(client, training)
    fail(client, training)
    said = quartet_here(client.settings, "retry", evaluation.id, code=2).stderr.splitlines()
    assert said[0].startswith("quartet: from: expected a training job that succeeded or will run")
    assert said[1].startswith(f"hint: `quartet retry {training.id}` queues it again")
    lines = quartet_here(client.settings, "retry", "--failed").stdout.splitlines()
    assert [line.split(" -> ")[0] for line in lines] == [training.id, evaluation.id]
    new = lines[0].split(" -> ")[1]
    assert client.job(lines[1].split(" -> ")[1]).stored.source == new
    done = quartet_here(client.settings, "retry", "--failed")
    assert (done.stdout, done.stderr) == ("", "no failed job is left to retry\n")
    again = quartet_here(client.settings, "retry", "--failed", training.id)
    assert again.stdout == f"{training.id} -> {new} (retried before)\n"
    client.cancel(new)
    rows = json.loads(quartet_here(client.settings, "retry", "--json", new).stdout)
    assert rows == [{"job": new, "retried_as": client.resolve("latest"), "error": None}]
    said = quartet_here(client.settings, "retry", code=2).stderr
    assert said.startswith(
        "quartet: job: expected a job's id, 4 or more characters of it, its name, or `latest`, got none"
    )


def test_a_job_that_is_named_twice_is_retried_once(client: Client) -> None:
    job = train(client, name="n")
    client.cancel("n")
    assert len(quartet_here(client.settings, "retry", job.id, "n", job.id[:22]).stdout.split()) == 1
    [before] = client.retry_failed(job.id)
    assert (before.old, before.earlier) == (job.id, client.resolve("n"))
    other = train(client)
    client.cancel(other.id)
    assert list(new_ids(client.retry_failed([other.id, other.id[:23], "latest"]))) == [other.id]


def test_many_failures_are_retried_without_reading_all_jobs_for_each(client: Client) -> None:
    jobs = [client.submit("textgen", "train", data="pydoc") for _ in range(60)]
    for job in jobs:
        fail(client, job)
    client.ledger.redis.config_resetstat()
    assert len(new_ids(client.retry_failed())) == 60
    spent = client.ledger.redis.info("commandstats")["cmdstat_hmget"]["calls"]
    assert spent <= 3 * 60


def test_quartet_retry_of_a_set_says_what_it_left_out(client: Client) -> None:
    odd, plain = train(client), train(client)
    for job in (odd, plain):
        fail(client, job)
    client.ledger.redis.hset(
        f"quartet:job:{odd.id}", "spec", '{"schema": 99, "model": "vae", "action": "train"}'
    )
    done = quartet_here(client.settings, "retry", "--failed", "--json", code=2)
    rows = json.loads(done.stdout)
    assert [(row["job"], row["retried_as"] is None) for row in rows] == [(odd.id, True), (plain.id, False)]
    first, last = done.stderr.splitlines()
    assert first.startswith(
        f"{odd.id} was not retried: schema: expected at most 2, which this version reads, got 99"
    )
    assert last == "quartet: jobs: expected failed jobs that can be retried, got 1 that cannot, as said above"
