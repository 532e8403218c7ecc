"""Whoever asked is told at least once that a job or a sweep ended, and whatever goes wrong holds up nobody."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.job import Job
from jobs.notifying.notices import DAY_SECONDS
from jobs.settings import Settings
from tests.notifying.webhook_server import Webhook, webhook
from tests.support.ended_jobs import claimed, end, fail
from tests.support.processes import RestartableRedis, Workers, ended, until
from tests.sweeps.stand_in_worker import StandIn, sweep_of
from worker.engine import notifier
from worker.engine.notifier import Notifier, notifiers

MOST_NOTICES = 10_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(notifier, "FIRST_WAIT", 0.02)


def told_by(settings: Settings, hook: Webhook, rule: str = "ended,sweeps") -> Settings:
    return settings.model_copy(update={"notify": SecretStr(hook.url), "notify_on": rule})


@contextmanager
def running(settings: Settings, client: Client) -> Iterator[Notifier]:
    """The notifier of one address, which has asked for notices."""
    [one] = notifiers(settings)
    one.start()
    try:
        until(lambda: client.ledger.redis.exists("quartet:notified"), 10, "its question")
        yield one
    finally:
        one.stop()


def submit(client: Client, **fields: Any) -> Job:
    return client.submit("autoencoder", "train", data="digits", fresh=True, **fields)


def notices(client: Client) -> list[str]:
    return [
        text
        for key in client.ledger.redis.keys("quartet:notices:*")
        for text in client.ledger.redis.lrange(key, 0, -1)
    ]


def test_a_job_that_ends_is_told_with_what_came_of_it(client: Client, settings: Settings) -> None:
    with webhook() as hook, running(told_by(settings, hook), client):
        good, bad, stopped = submit(client, name="nightly", tags=["demo"]), submit(client), submit(client)
        end(client, good)
        fail(client, bad)
        client.cancel(stopped.id)
        until(lambda: len(hook.messages) == 3, 10, "three messages")
        until(lambda: not notices(client), 10, "the end of the notices")
    first, second, third = hook.messages
    assert hook.events() == ["job.succeeded", "job.failed", "job.cancelled"]
    assert first["title"] == f"Job {good.id} (nightly) succeeded"
    about = {name: first["job"][name] for name in ("id", "name", "model", "action", "state", "tags", "sweep")}
    assert about == {
        "id": good.id, "name": "nightly", "model": "autoencoder", "action": "train",
        "state": "succeeded", "tags": ["demo"], "sweep": None,
    }  # fmt: skip
    assert (second["job"]["error"], second["text"]) == (
        "no luck", f"Job {bad.id} failed\nautoencoder train\nno luck",
    )  # fmt: skip
    assert third["title"] == f"Job {stopped.id} was cancelled"
    assert len({message["id"] for message in hook.messages}) == 3


def test_only_the_last_attempt_of_a_job_is_told_and_the_jobs_that_fail_with_it(
    client: Client, settings: Settings
) -> None:
    with webhook() as hook, running(told_by(settings, hook, "failed"), client):
        job, other = submit(client), submit(client)
        dependent = client.submit("autoencoder", "evaluate", data="digits", source=job.id)
        for _ in range(3):
            assert not notices(client)
            client.ledger.record_loss(claimed(client, job), 3, "killed")
        end(client, other)
        until(lambda: len(hook.messages) == 2, 10, "two messages")
    assert {message["job"]["id"] for message in hook.messages} == {job.id, dependent.id}
    assert hook.messages[0]["job"]["error"] == "its worker died three times"


def test_a_sweep_is_told_as_a_whole_and_its_jobs_where_they_are_asked_for(
    client: Client, settings: Settings
) -> None:
    with webhook() as hook, running(told_by(settings, hook), client):
        client.create_sweep(sweep_of())
        StandIn(client).run()
        until(lambda: hook.messages, 10, "a message")
    [message] = hook.messages
    assert (message["event"], message["title"]) == ("sweep.ended", "Sweep bowl ended")
    assert message["sweep"]["trials"] == {"succeeded": 3}
    best = message["sweep"]["best"]
    assert (best["value"], best["point"], message["sweep"]["metric"]) == (
        0,
        {"learning_rate": 0.01},
        "validation_bce",
    )
    assert "autoencoder train: 3 succeeded" in message["text"]
    with webhook() as hook, running(told_by(settings, hook, "trials"), client):
        client.create_sweep(sweep_of("again", fresh=True))
        StandIn(client, lambda _: None).run()
        until(lambda: len(hook.messages) == 3, 10, "three messages")
    assert {(each["event"], each["job"]["sweep"]) for each in hook.messages} == {("trial.failed", "again")}
    assert sorted(each["job"]["trial"] for each in hook.messages) == [0, 1, 2]


def test_where_nobody_is_to_be_told_nothing_is_written(client: Client) -> None:
    fail(client, submit(client))
    assert not [key for key in client.ledger.redis.keys("*") if "noti" in key]


def test_what_is_not_taken_is_told_again_under_the_same_id(client: Client, settings: Settings) -> None:
    answers = iter([500, 503, 429])
    with webhook(lambda _: next(answers, 200)) as hook, running(told_by(settings, hook), client):
        fail(client, submit(client))
        until(lambda: len(hook.messages) == 4 and not notices(client), 10, "the fourth try")
    assert len({message["id"] for message in hook.messages}) == 1


def test_a_message_that_is_refused_does_not_hold_up_the_others(client: Client, settings: Settings) -> None:
    with webhook() as hook:
        bad, good = submit(client), submit(client)
        hook.answer = lambda message: 400 if message["job"]["id"] == bad.id else 200
        with running(told_by(settings, hook), client):
            fail(client, bad)
            until(lambda: hook.messages, 10, "the bad one")
            fail(client, good)
            until(lambda: len(notices(client)) == 1, 10, "the good one")
            hook.answer = lambda _: 200
            until(lambda: not notices(client), 10, "both")


def test_two_workers_send_each_message_once_and_one_goes_on_when_the_other_stops(
    client: Client, settings: Settings
) -> None:
    with (
        webhook() as hook,
        running(told_by(settings, hook), client) as first,
        running(told_by(settings, hook), client),
    ):
        for _ in range(5):
            fail(client, submit(client))
        until(lambda: not notices(client), 10, "five messages")
        first.stop()
        fail(client, submit(client))
        until(lambda: not notices(client), 10, "the sixth")
    assert len(hook.messages) == len({message["id"] for message in hook.messages}) == 6


@pytest.mark.parametrize("status", [204, 500])
def test_where_no_worker_follows_what_is_left_is_told_up_to_the_first_that_is_not_taken(
    client: Client, settings: Settings, status: int
) -> None:
    with webhook(lambda _: status) as hook:
        with running(told_by(settings, hook), client) as one:
            pass
        for _ in range(3):
            fail(client, submit(client))
        one.finish()
        assert (len(hook.messages), len(notices(client))) == ((3, 0) if status == 204 else (1, 3))


def test_where_no_worker_follows_two_tell_what_is_left_once(client: Client, settings: Settings) -> None:
    def answer(_: dict[str, Any]) -> int:
        time.sleep(0.1)
        return 204

    with webhook(answer) as hook:
        told = told_by(settings, hook)
        with running(told, client) as one, running(told, client) as other:
            pass
        for _ in range(3):
            fail(client, submit(client))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Notifier.finish, (one, other)))
        assert (len(hook.messages), notices(client)) == (3, [])


def test_too_many_notices_and_old_ones_are_dropped_and_that_is_logged(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as hook:
        told = told_by(settings, hook)
        with running(told, client):
            pass
        [address] = client.ledger.redis.smembers("quartet:notified")
        key = f"quartet:notices:{address}"
        old, future = (
            json.dumps(
                {"event": "job.failed", "subject": subject, "time": client.ledger.now() + milliseconds}
            )
            for subject, milliseconds in (("x", -DAY_SECONDS * 1000 - 1), ("y", 10**300))
        )
        client.ledger.redis.lpush(key, *["no notice"] * (MOST_NOTICES - 3), future, old)
        for _ in range(3):
            fail(client, submit(client))
        assert client.ledger.redis.llen(key) == MOST_NOTICES
        assert 0 < client.ledger.redis.ttl(key) <= DAY_SECONDS
        client.ledger.redis.ltrim(key, 0, 6)
        with running(told, client):
            until(lambda: not notices(client), 10, "the end of the notices")
    assert len(hook.messages) == 3
    assert "2 notifications to http://127.0.0.1/*** were dropped: too many waited" in caplog.text
    for subject in "xy":
        assert f"http://127.0.0.1/*** took no message about job.failed:{subject}" in caplog.text


def test_strange_keys_stop_no_job_and_a_deleted_job_is_told_all_the_same(
    client: Client, settings: Settings
) -> None:
    redis = client.ledger.redis
    redis.set("quartet:notified", "not a set")
    fail(client, submit(client))
    redis.delete("quartet:notified")
    with webhook(lambda _: 500) as hook, running(told_by(settings, hook), client):
        [address] = redis.smembers("quartet:notified")
        gone = submit(client)
        end(client, gone)
        until(lambda: hook.messages, 10, "a message")
        client.delete(gone.id)
        hook.answer = lambda _: 200
        until(lambda: not notices(client), 10, "the last message")
        assert hook.messages[-1]["job"] == {"id": gone.id, "state": "succeeded"}
        redis.set(f"quartet:notices:{address}", "not a list")
        job = submit(client)
        fail(client, job)
        assert client.job(job.id).state == "failed"
        redis.delete(f"quartet:notices:{address}")
        fail(client, submit(client))
        until(lambda: hook.messages[-1]["event"] == "job.failed", 10, "the next message")


def test_while_one_worker_waits_to_try_again_no_other_begins_with_tries_of_its_own(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "FIRST_WAIT", 1.5)
    monkeypatch.setattr(notifier, "LOCK_SECONDS", 0.3)
    with (
        webhook(lambda _: 500) as hook,
        running(told_by(settings, hook), client),
        running(told_by(settings, hook), client),
    ):
        fail(client, submit(client))
        until(lambda: hook.messages, 10, "the first try")
        time.sleep(0.8)
        assert len(hook.messages) == 1


def test_after_redis_lost_its_data_jobs_that_end_are_told(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "ASK_SECONDS", notifier.ASK_SECONDS / 50)
    redis = client.ledger.redis
    with webhook() as hook, running(told_by(settings, hook), client):
        redis.delete("quartet:notified", *redis.keys("quartet:notified:*"), *redis.keys("quartet:notifier:*"))
        until(lambda: redis.exists("quartet:notified"), 2, "its question, asked again")
        job = submit(client)
        fail(client, job)
        until(lambda: hook.messages, 10, "a message")
    assert hook.messages[0]["job"]["id"] == job.id


@pytest.mark.chaos
def test_a_worker_that_dies_between_sending_and_noting_it_has_the_message_sent_again(
    settings: Settings, restartable: RestartableRedis, tmp_path: Path
) -> None:
    def at(address: str) -> Settings:
        return told_by(settings, hook).model_copy(update={"redis_url": SecretStr(address)})

    workers: list[Workers] = []

    def answer(_: dict[str, Any]) -> int:
        if len(hook.messages) == 1:
            os.killpg(workers[0].started[0].process.pid, signal.SIGKILL)
        return 200

    with webhook(answer) as hook:
        client = Client(at(restartable.address))
        workers.append(Workers(at(restartable.worker_address), tmp_path))
        try:
            workers[0].start()
            until(lambda: client.ledger.redis.keys("quartet:notifier:*"), 90, "the first worker's lock")
            workers[0].start()
            until(lambda: len(client.ledger.workers()) == 2, 90, "both workers")
            job = client.submit("autoencoder", "train", data="digits", epochs=1)
            ended(client, job.id)
            until(lambda: len(hook.messages) >= 2 and not notices(client), 90, "the second message")
        finally:
            workers[0].end()
    assert len(hook.messages) == 2
    assert len({message["id"] for message in hook.messages}) == 1
    assert hook.messages[0]["job"]["id"] == job.id
    assert hook.url not in workers[0].logs()
