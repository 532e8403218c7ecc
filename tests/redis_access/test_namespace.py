"""Two Quartets on one Redis and database: neither sees, takes, wakes or sweeps what is the other's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from jobs.client import Client
from jobs.errors import InvalidSetting, UnknownJob
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import APP_NAME, list_of, lists
from jobs.settings import Settings, read_settings
from tests.engine.bare_workers import LIST, BareWorker, message
from tests.support.processes import Workers, ended, until
from worker.engine.celery_settings import celery_settings
from worker.engine.name_lock import server

NAMES = ("", "lab")


def of(settings: Settings, namespace: str, folder: Path) -> Settings:
    """The settings of a Quartet with a namespace, on the same Redis."""
    folders = {f"{name}_dir": folder / (namespace or "none") / name for name in ("results", "data", "state")}
    return read_settings(**dict(settings) | folders | {"namespace": namespace})


@pytest.fixture
def clients(settings: Settings, tmp_path: Path) -> dict[str, Client]:
    return {namespace: Client(of(settings, namespace, tmp_path)) for namespace in NAMES}


def keys_outside(redis: Any) -> dict[str, set[str]]:
    """The keys that are of neither namespace, and those of each."""
    keys = set(redis.keys("*"))
    lab = {key for key in keys if key.startswith("lab:")}
    none = {key for key in keys if key.startswith("quartet:") or key in lists()}
    return {"outside": keys - lab - none, "lab": lab, "": none}


def test_each_ledger_has_its_own_jobs_names_workers_locks_and_messages(clients: dict[str, Client]) -> None:
    ledgers = [client.ledger for client in clients.values()]
    jobs = [client.submit("autoencoder", "train", data="digits", name="same") for client in clients.values()]
    for client, ours, theirs in zip(clients.values(), jobs, reversed(jobs), strict=True):
        assert [job.id for job in client.jobs()] == [ours.id]
        assert client.job("same").id == ours.id
        with pytest.raises(UnknownJob):
            client.ledger.cancel(theirs.id)
        assert client.ledger.claim(theirs.id, "w", 1, "t") is None
    redis = ledgers[0].redis
    name = list_of("train", "normal")
    assert (redis.llen(name), redis.llen(f"lab:{name}")) == (1, 1)
    redis.delete(name)
    assert [ledger.resend(0) for ledger in ledgers] + [ledger.resend(0) for ledger in ledgers] == [0, 0, 1, 0]
    ledgers[1].announce_worker("w@here", {"quartet": "1"}, 60)
    assert [list(ledger.workers()) for ledger in ledgers] == [[], ["w@here"]]
    assert [ledger.lock("sweeper", token, 60) for ledger, token in zip(ledgers, "ab", strict=True)] == [1, 1]
    assert clients["lab"].cancel(jobs[1].id).state == "cancelled"
    assert (redis.llen(name), redis.llen(f"lab:{name}")) == (1, 0)
    found = keys_outside(redis)
    assert (found["outside"], bool(found[""]), bool(found["lab"])) == (set(), True, True)


def test_a_quartet_without_a_namespace_has_the_keys_that_it_always_had(client: Client) -> None:
    job = client.submit("autoencoder", "train", data="digits", name="first")
    assert sorted(client.ledger.redis.keys("*")) == sorted(
        [
            f"quartet:job:{job.id}",
            f"quartet:timeline:{job.id}",
            "quartet:changed",
            "quartet:counts",
            "quartet:jobs",
            "quartet:names",
            "quartet:sent:quartet.training\x06\x163",
            "quartet:sequence",
            "quartet:state:queued",
            "quartet.training\x06\x163",
        ]
    )


def test_the_setting_reaches_the_address_and_what_a_worker_is_told(settings: Settings) -> None:
    lab = read_settings(**dict(settings) | {"namespace": "lab"})
    assert lab.redis_address() == f"{settings.redis_address()}?namespace=lab"
    assert lab.environment()["QUARTET_NAMESPACE"] == "lab"
    assert server(lab.redis_address()) != server(settings.redis_address())
    assert read_settings(namespace="lab", redis_url=None).redis_address().endswith("?namespace=lab")
    with pytest.raises(InvalidSetting, match="QUARTET_NAMESPACE: expected up to 40 lower-case letters"):
        read_settings(namespace="Lab:")


@pytest.fixture
def bare(settings: Settings, tmp_path: Path) -> Iterator[dict[str, BareWorker]]:
    found = {}
    for namespace in NAMES:
        folder = tmp_path / f"bare-{namespace}"
        folder.mkdir()
        found[namespace] = BareWorker(of(settings, namespace, tmp_path).redis_address(), folder)
    yield found
    for worker in found.values():
        worker.end()


@pytest.mark.chaos
def test_neither_worker_takes_the_others_messages_or_answers_the_others_questions(
    settings: Settings, bare: dict[str, BareWorker], tmp_path: Path
) -> None:
    redis = Ledger(settings.redis_address()).redis
    watch = redis.monitor()
    ids = {namespace: [new_job_id() for _ in range(20)] for namespace in NAMES}
    with watch:
        for namespace, some in ids.items():
            redis.lpush(f"{namespace}:{LIST}".removeprefix(":"), *map(message, some))
        for namespace in NAMES:
            until(lambda: len(bare[namespace].done()) == 20, 60)  # noqa: B023 - called at once
            app = Celery(APP_NAME)
            app.conf.update(celery_settings(of(settings, namespace, tmp_path).redis_address()))
            # Both workers have this name, so two answers would be one; the processes tell them apart.
            stats = app.control.inspect(timeout=2).stats()
            assert [one["pid"] for one in stats.values()] == [bare[namespace].process.pid]
        redis.set("quartet:end", 1)
        seen = []
        for one in watch.listen():
            seen.append(one["command"])
            if "quartet:end" in one["command"]:
                break
    for namespace in NAMES:
        assert set(bare[namespace].done()) == set(ids[namespace])
    topics = {line.split()[1] for line in seen if line.upper().startswith("PUBLISH ")}
    assert {topic.partition("/0.")[0] for topic in topics} == {"", "lab:"}
    redis.delete("quartet:end")
    assert keys_outside(redis)["outside"] == set()


@pytest.mark.chaos
def test_two_quartets_work_side_by_side_with_jobs_and_sweeps(
    clients: dict[str, Client], tmp_path: Path
) -> None:
    workers: list[Workers] = []
    for name in ("lab-logs", "logs"):
        (tmp_path / name).mkdir()
    try:
        # At first only one has a worker: what the other queued waits.
        waiting = clients[""].submit("autoencoder", "train", data="digits", epochs=1, name="mine")
        first = Workers(clients["lab"].settings, tmp_path / "lab-logs")
        workers.append(first)
        first.start()
        theirs = clients["lab"].submit("autoencoder", "train", data="digits", epochs=1, name="mine")
        assert ended(clients["lab"], theirs.id).state == "succeeded", first.logs()
        time.sleep(3)
        assert clients[""].job(waiting.id).state == "queued"
        second = Workers(clients[""].settings, tmp_path / "logs")
        workers.append(second)
        second.start()
        assert ended(clients[""], waiting.id).state == "succeeded", second.logs()
        sweeps = [
            client.sweep(
                model="autoencoder",
                data="digits",
                parameters={"epochs": 2, "learning_rate": rates},
                name="rates",
            )
            for client, rates in zip(clients.values(), ([1e-3, 2e-3], [3e-3, 4e-3, 5e-3]), strict=True)
        ]
        for sweep, count in zip(sweeps, (2, 3), strict=True):
            sweep.wait(300)
            assert sweep.counts == {"succeeded": count}
        for client, count in zip(clients.values(), (3, 4), strict=True):
            assert len(client.ledger.ids()) == len(list(client.results.ids())) == count
            assert len(client.ledger.workers()) == 1
            listed = quartet(client.settings, "list", "--json").stdout
            assert listed.count('"id"') == count
        found = keys_outside(clients[""].ledger.redis)
        assert found["outside"] == set()
        ids = {namespace: client.ledger.ids() for namespace, client in clients.items()}
        assert not any(job in key for job in ids[""] for key in found["lab"])
        assert not any(job in key for job in ids["lab"] for key in found[""])
    finally:
        for one in workers:
            one.end()


def quartet(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("quartet")), *arguments]
    environment = os.environ | settings.environment()
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
