"""Workers that are drained, with real processes: no job is lost, and none is begun."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.errors import QuartetError, RedisUnreachable
from jobs.ledger.drain_record import DrainRecord
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.staging import STAGING
from jobs.worker_view import WorkerView
from tests.cli.program import QUARTET, environment, quartet_here
from tests.engine.test_workers import LONG, running
from tests.support.processes import RestartableRedis, Workers, ended, until
from worker.engine import draining

pytestmark = pytest.mark.chaos

HOST = os.uname().nodename


def ready(client: Client, count: int = 1) -> list[WorkerView]:
    until(lambda: len(client.workers()) == count, 90, f"the start of {count} workers")
    return client.workers()


def texts(client: Client, job_id: str) -> list[str]:
    return [entry["text"] for entry in client.timeline(job_id)]


def test_a_drained_worker_finishes_its_job_and_another_one_does_the_next(
    client: Client, workers: Workers
) -> None:
    [first] = workers.start()
    job = client.submit("autoencoder", "train", data="digits", epochs=500)
    running(client, job.id)
    [seen] = client.workers()
    assert (seen.name, seen.state, seen.jobs, seen.device) == (f"w1@{HOST}", "running", (job.id,), "CPU")
    line = re.search(
        rf"w1@{HOST} +running {job.id} +CPU", quartet_here(client.settings, "worker", "list").stdout
    )
    assert line

    said = quartet_here(client.settings, "worker", "drain", "w1").stdout
    assert said == f"w1@{HOST} finishes {job.id}, then stops\n"
    after = client.submit("autoencoder", "train", data="digits", epochs=1, seed=5)
    [draining] = client.workers()
    assert (draining.state, draining.jobs, draining.hand_back) == ("draining", (job.id,), False)
    again = quartet_here(
        client.settings, "worker", "drain", f"w1@{HOST}", "--wait"
    ).stdout  # once more is no harm
    assert again.splitlines()[-1] == f"w1@{HOST} has stopped"
    assert first.process.wait(30) == 0
    assert (client.job(job.id).state, client.job(job.id).attempt) == ("succeeded", 1), workers.logs()
    assert (client.job(after.id).state, client.job(after.id).attempt) == ("queued", 0)
    assert client.workers() == []

    workers.start()
    assert ended(client, after.id).worker == f"w2@{HOST}", workers.logs()
    assert client.job(after.id).attempt == 1


def test_a_drain_that_hands_back_is_gone_on_with_by_another_worker(client: Client, workers: Workers) -> None:
    [first] = workers.start()
    job = client.submit("autoencoder", "train", data="digits", epochs=600)
    running(client, job.id)
    client.drain("w1")
    # To finish would take long; that it is to be handed back may be said later.
    [drained] = client.drain("w1", hand_back=True)
    assert [worker.name for worker in client.drained([drained])] == [f"w1@{HOST}"]
    assert first.process.wait(30) == 0
    assert (client.job(job.id).state, client.job(job.id).attempt) == ("queued", 1), workers.logs()
    assert any((client.results.root / STAGING).glob(f"{job.id}.*/{CHECKPOINT}"))
    workers.start()
    assert ended(client, job.id).state == "succeeded", workers.logs()
    said = texts(client, job.id)
    assert any("is shutting down; queued again" in text for text in said)
    assert any(text.startswith("resumed from epoch") for text in said)
    record = client.ledger.record(job.id)
    assert record is not None
    assert (record.attempt, record.lost) == (2, 0)


def test_a_drain_survives_redis_and_not_the_death_of_its_worker(
    settings: Settings, restartable: RestartableRedis, workers: Workers
) -> None:
    workers.settings = settings.model_copy(update={"redis_url": SecretStr(restartable.worker_address)})
    client = Client(settings.model_copy(update={"redis_url": SecretStr(restartable.address)}))
    [first] = workers.start()
    job = client.submit("autoencoder", "train", **LONG)
    running(client, job.id)
    drained = client.drain("w1")
    restartable.restart(pause=2)
    until(lambda: [worker.state for worker in client.workers()] == ["draining"], 30, "the drain")
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait(30)
    first.check()  # as `quartet up` does: one that died is started again, and is not drained
    until(lambda: client.job(job.id).attempt == 2, 60, "the next attempt")
    until(lambda: [worker.state for worker in client.workers()] == ["running"], 30, "its announcement")
    with pytest.raises(QuartetError, match=rf"^w1@{HOST} died before the drain was over"):
        list(client.drained(drained))
    client.drain("w1", hand_back=True)
    assert first.process.wait(30) == 0
    assert first.check() == "worker w1 was drained; it is not started again"
    assert (first.check(), first.process.poll()) == ("", 0)
    assert client.job(job.id).state == "queued"


def test_that_a_drained_worker_ended_is_noted_when_redis_has_restarted(
    settings: Settings, restartable: RestartableRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"redis_url": SecretStr(restartable.address)})
    monkeypatch.setattr(draining, "_asked", DrainRecord(draining.START))
    restart = threading.Thread(target=restartable.restart, kwargs={"pause": 1})
    with draining.listening(settings, "w1@host"):
        restart.start()
        until(lambda: not _answers(restartable.address), 20, "the end of Redis")
    restart.join()
    found = Client(settings).ledger.drains(["w1@host"])["w1@host"]
    assert (found.stopped, found.start) == (True, draining.START)


def _answers(address: str) -> bool:
    try:
        Ledger(address).ping()
    except RedisUnreachable:
        return False
    return True


def test_where_all_are_drained_jobs_stay_queued_with_their_messages(client: Client, workers: Workers) -> None:
    started = workers.start(2)
    ready(client, 2)
    assert {worker.state for worker in client.workers()} == {"idle"}
    waiting = subprocess.Popen(
        [QUARTET, "worker", "drain", "--all", "--wait"],
        env=environment(client.settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    announced = client.ledger.workers
    until(lambda: all("draining" in about for about in announced().values()), 20, "the drain")
    jobs = [client.submit("autoencoder", "train", data="digits", epochs=1, seed=seed) for seed in range(6)]
    out, _ = waiting.communicate(timeout=60)
    assert sorted(out.splitlines()) == sorted(
        f"w{number}@{HOST} {what}" for number in (1, 2) for what in ("stops", "has stopped")
    )
    assert [worker.process.wait(30) for worker in started] == [0, 0], workers.logs()
    assert {client.job(job.id).state for job in jobs} == {"queued"}
    assert {client.job(job.id).attempt for job in jobs} == {0}
    workers.start()
    for job in jobs:
        assert ended(client, job.id).attempt == 1, workers.logs()


def test_a_worker_that_waits_for_a_gpu_is_drained_at_once(
    settings: Settings, workers: Workers, machine: Callable[..., None]
) -> None:
    machine("0:0")
    folder = Path(os.environ["QUARTET_GPU_LOCK_DIR"])
    workers.settings = settings.model_copy(update={"gpu": "exclusive", "gpu_lock_dir": folder})
    client = Client(settings)
    workers.start()
    ready(client)
    [second] = workers.start()
    [holder, waiting] = ready(client, 2)
    assert (holder.state, holder.device) == ("idle", "Fake GPU")
    assert (waiting.state, waiting.device) == ("waiting", None)
    assert (waiting.waits or "").startswith("for a GPU: the only GPU is held by w1@")
    list(client.drained(client.drain("w2")))
    assert second.process.wait(20) == 0
    assert [worker.name for worker in client.workers()] == [holder.name]
