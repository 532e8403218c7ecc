"""One attempt at one job, in this process: every way a task ends becomes a state, a sentence and a folder."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.client import Client
from jobs.job import Job
from jobs.ledger.messages import lists
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from jobs.store.staging import STAGING
from tests.support.processes import until
from worker.context import JobContext
from worker.engine import attempt, background, drawing, ended_jobs, liveness, publishing
from worker.engine.attempt import execute, refuse
from worker.engine.loaded_code import loaded_checksum
from worker.report.blocks import Metric, Text
from worker.training.checkpoint import Checkpoint

WORKER = "w1@here"
SPEC = JobSpec.make("autoencoder", "train", data="digits", time_limit=600)


class StubWing:
    """A wing whose task and report are a test's."""

    metrics = (Metric("loss", "loss"),)

    def __init__(self) -> None:
        self.task: Callable[[JobContext], Mapping[str, float]] = lambda _: {"loss": 0.5}
        self.report: Callable[[JobFolder], Any] = lambda _: [Text("a title", "a text")]

    def action(self, name: str) -> Callable[[JobContext], Mapping[str, float]]:
        assert name == "train"
        return self.task

    def present(self, folder: JobFolder) -> Any:
        return self.report(folder)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubWing]:
    """Every job does what this wing does, and TensorFlow is not loaded for it."""
    wing = StubWing()
    for module in (attempt, drawing, ended_jobs, publishing):
        monkeypatch.setattr(module, "wing", lambda _: wing)
    monkeypatch.setattr(attempt, "load_keras", lambda: None)
    monkeypatch.setattr(attempt.device, "prepare", lambda: None)
    monkeypatch.setattr(attempt.device, "describe", lambda: {"kind": "cpu", "name": "Fake CPU"})
    yield wing
    background.wait()


def done(client: Client, settings: Settings, spec: JobSpec = SPEC) -> Job:
    """Queue a job and do it here."""
    job = client.submit_spec(spec, fresh=True)
    execute(job.id, settings, WORKER)
    background.wait()
    return client.job(job.id)


def texts(client: Client, job: Job) -> list[str]:
    return [entry["text"] for entry in client.ledger.timeline(job.id)]


def until_stopped(context: JobContext) -> Mapping[str, float]:
    while True:
        context.check_stop()
        time.sleep(0.02)


def test_a_job_that_succeeds_has_a_verified_folder_and_a_timeline(
    client: Client,
    settings: Settings,
    stub: StubWing,  # noqa: ARG001
) -> None:
    job = done(client, settings)
    assert (job.state, job.error) == ("succeeded", None)
    assert job.headline == {"label": "loss", "value": 0.5, "unit": ""}
    assert texts(client, job) == [
        "queued", f"started on {WORKER}",
        f"running on the CPU Fake CPU, code {loaded_checksum('autoencoder')}", "published", "succeeded",
    ]  # fmt: skip
    folder = client.folder(job.id)
    assert (folder.verify(), folder.metrics) == ([], {"loss": 0.5})
    assert [event["text"] for event in folder.job["timeline"]] == texts(client, job)
    assert job.id in (client.results.root / "index.html").read_text()
    assert not any((client.results.root / STAGING).iterdir())


def test_a_job_ends_although_no_further_thread_can_be_started(
    client: Client,
    settings: Settings,
    stub: StubWing,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name in (background.FINISHING, background.INDEX):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refused)
        job = done(client, settings)
    assert (job.state, client.folder(job.id).verify()) == ("succeeded", [])
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
    assert "will be written with the next job" in caplog.text
    both = {job.id, done(client, settings, SPEC.model_copy(update={"seed": 1})).id}
    assert all(each in (client.results.root / "index.html").read_text() for each in both)


def test_a_second_message_of_a_job_does_nothing(client: Client, settings: Settings, stub: StubWing) -> None:
    job = done(client, settings)
    stub.task = lambda _: pytest.fail("it was done again")
    execute(job.id, settings, "w2@here")
    execute("no job at all", settings, "w2@here")
    assert client.job(job.id) == job


def test_a_job_of_a_worker_that_shuts_down_is_queued_again(
    client: Client, settings: Settings, stub: StubWing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(liveness.FOLDER_VARIABLE, str(tmp_path))

    def asked_by_its_worker(context: JobContext) -> Mapping[str, float]:
        liveness.ask_to_stop()
        return until_stopped(context)

    stub.task = asked_by_its_worker
    job = done(client, settings)
    assert job.state == "queued"
    assert any(text.startswith(f"{WORKER} is shutting down; queued again") for text in texts(client, job))
    (tmp_path / liveness.STOPPING).unlink()
    stub.task = lambda _: {"loss": 0.25}
    execute(job.id, settings, WORKER)
    background.wait()
    assert (client.job(job.id).state, client.job(job.id).attempt) == ("succeeded", 2)


def test_a_cancelled_job_is_published_as_cancelled(
    client: Client, settings: Settings, stub: StubWing
) -> None:
    def cancelled(context: JobContext) -> Mapping[str, float]:
        client.cancel("latest")
        return until_stopped(context)

    stub.task = cancelled
    job = done(client, settings)
    assert (job.state, job.error) == ("cancelled", None)
    assert client.folder(job.id).job["state"] == "cancelled"


def test_a_job_that_its_sweep_stops_says_why(client: Client, settings: Settings, stub: StubWing) -> None:
    def stopped(context: JobContext) -> Mapping[str, float]:
        client.ledger.cancel(client.resolve("latest"), "stopped: worse than the median")
        return until_stopped(context)

    stub.task = stopped
    job = done(client, settings)
    assert (job.state, job.error) == ("cancelled", "stopped: worse than the median")
    assert client.folder(job.id).job["error"] == job.error
    assert "stop requested: stopped: worse than the median" in texts(client, job)


def test_a_job_over_its_time_limit_fails_with_that_sentence(
    client: Client, settings: Settings, stub: StubWing
) -> None:
    stub.task = until_stopped
    job = done(client, settings, SPEC.model_copy(update={"time_limit": 1}))
    assert (job.state, job.error) == ("failed", "exceeded its time limit of 1 second")
    assert client.folder(job.id).job["error"] == job.error


def test_a_task_that_does_not_stop_is_concluded_before_its_process_ends(
    client: Client, settings: Settings, stub: StubWing, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(liveness, "leave", exits.append)

    def stuck(_: JobContext) -> Mapping[str, float]:
        until(lambda: exits, 30, "the end of the process")
        return {"loss": 0.5}

    stub.task = stuck
    job = done(
        client,
        settings.model_copy(update={"stop_grace_seconds": 0.1}),
        SPEC.model_copy(update={"time_limit": 1}),
    )
    assert exits == [1]
    assert (job.state, job.error) == ("failed", "exceeded its time limit of 1 second")
    assert client.folder(job.id).verify() == []


def test_a_report_that_cannot_be_made_fails_the_job_which_keeps_its_results(
    client: Client, settings: Settings, stub: StubWing
) -> None:
    def broken(_: JobFolder) -> Any:
        raise ZeroDivisionError("no axis")

    stub.report = broken
    job = done(client, settings)
    assert job.state == "failed"
    assert job.error == (
        "the report could not be rendered: internal error, ZeroDivisionError: no axis (details in log.txt)"
    )
    folder = client.folder(job.id)
    assert (folder.metrics, folder.verify()) == ({"loss": 0.5}, [])
    assert "no axis" in folder.job["log_end"]


def test_a_folder_that_was_published_before_its_worker_died_is_adopted(
    client: Client, settings: Settings, stub: StubWing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(publishing.background, "update_index", lambda _: None)
        dying.setattr("jobs.ledger.ledger.Ledger.finish", lambda *_, **__: None)
        job = done(client, settings)
    assert client.results.find(job.id) is not None
    [held] = client.ledger.held()
    client.ledger.record_loss(held.claim, 3, "its process was killed (SIGKILL)")
    stub.task = lambda _: pytest.fail("it was done again")
    execute(job.id, settings, WORKER)
    record = client.ledger.record(job.id)
    assert record is not None
    assert (record.state, record.attempt) == ("succeeded", 2)
    assert client.job(job.id).headline == {"label": "loss", "value": 0.5, "unit": ""}


def test_a_results_folder_that_takes_nothing_fails_the_job(
    client: Client,
    settings: Settings,
    stub: StubWing,  # noqa: ARG001
) -> None:
    client.results.root.write_text("a file where the folder should be")
    job = done(client, settings)
    assert job.state == "failed"
    assert (job.error or "").startswith(f"the results volume {client.results.root} cannot be used: ")
    assert client.ledger.unpublished() == [job.id]


def test_a_job_whose_folder_another_attempt_took_over_is_queued_again(
    client: Client, settings: Settings, stub: StubWing
) -> None:
    def task(context: JobContext) -> Mapping[str, float]:
        Checkpoint(epoch=1, history=[{"epoch": 1.0, "loss": 1.0}]).write(context.checkpoint)
        context.folder.rename(context.folder.with_name(f"{context.folder.name[:-4]}beef"))
        Checkpoint(epoch=2).write(context.checkpoint)
        return {}

    stub.task = task
    job = done(client, settings)
    assert (job.state, job.error) == ("queued", None)
    assert texts(client, job)[-1].startswith("another attempt took its folder over; queued again")
    stub.task = lambda context: {"loss": float(Checkpoint.read(context.checkpoint).epoch)}
    execute(job.id, settings, WORKER)
    background.wait()
    assert (client.job(job.id).state, client.folder(job.id).metrics) == ("succeeded", {"loss": 1.0})


def test_a_volume_that_does_not_let_an_earlier_folder_be_taken_over_fails_the_job(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = client.submit_spec(SPEC)
    folder = client.results.root / STAGING / f"{job.id}.1.{'0' * 16}"
    folder.mkdir(parents=True)

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", read_only)
        execute(job.id, settings, WORKER)
    failed = client.job(job.id)
    assert (failed.state, failed.error) == (
        "failed",
        f"the results volume {client.results.root} is read-only",
    )


@pytest.mark.parametrize("do", [execute, refuse])
@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ('{"model": "elsewhere", "action": "train"}', "'elsewhere'"),
        ('{"model": "autoencoder", "action": "train", "parameters": {"depth": 3}}', "depth"),
        ('{"model": "autoencoder", "action": "train", "schema": 99}', "a newer version of Quartet"),
    ],
)
def test_a_job_that_this_worker_does_not_understand_is_put_back_untouched(
    client: Client, settings: Settings, do: Callable[[str, Settings, str], None], stored: str, why: str
) -> None:
    job = client.submit_spec(SPEC)
    client.ledger.redis.hset(f"quartet:job:{job.id}", "spec", stored)
    do(job.id, settings, WORKER)
    record = client.ledger.record(job.id)
    assert record is not None
    assert (record.state, record.attempt, record.lost) == ("queued", 0, 0)
    assert [why in text for text in record.declined.values()] == [True]
    assert client.ledger.declined() == [job.id]
    assert client.ledger.redis.hget(f"quartet:job:{job.id}", "spec") == stored


def test_a_record_that_is_no_jobs_fails_with_that_sentence(client: Client, settings: Settings) -> None:
    job = client.submit_spec(SPEC)
    client.ledger.redis.hset(f"quartet:job:{job.id}", "spec", "[")
    execute(job.id, settings, WORKER)
    state, error = client.ledger.redis.hmget(f"quartet:job:{job.id}", ["state", "error"])
    assert state == "failed"
    assert error.startswith(f"job {job.id}: expected a record in Redis that this version can read, got")


def test_no_job_is_taken_while_the_volume_has_no_room(
    client: Client, settings: Settings, stub: StubWing
) -> None:
    stub.task = lambda _: pytest.fail("it was taken")
    full = settings.model_copy(update={"min_free_gb": 1e6})
    assert done(client, full).state == "queued"


def test_a_strangers_message_fails_no_job_that_can_be_done(client: Client, settings: Settings) -> None:
    job = client.submit_spec(SPEC)
    waiting = [client.ledger.redis.llen(name) for name in lists()]
    for named in (job.id, "no job at all"):
        refuse(named, settings, WORKER)
    assert client.job(job.id).state == "queued"
    assert [client.ledger.redis.llen(name) for name in lists()] == waiting


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", None, True])
def test_a_number_that_no_file_can_hold_fails_the_job_and_is_named(
    client: Client, settings: Settings, stub: StubWing, value: Any
) -> None:
    stub.task = lambda _: {"loss": value}
    job = done(client, settings)
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.error == (
        f"model autoencoder, task.py: expected finite numbers by name from train, got loss {value!r}"
    )
    assert client.folder(job.id).verify() == []


@pytest.mark.parametrize(("returned", "shown"), [(None, "None"), ("hello", "'hello'"), ([1, 2], "[1, 2]")])
def test_what_is_no_mapping_of_numbers_fails_the_job(
    client: Client, settings: Settings, stub: StubWing, returned: Any, shown: str
) -> None:
    stub.task = lambda _: returned
    assert done(client, settings).error == (
        f"model autoencoder, task.py: expected a mapping of numbers from train, got {shown}"
    )


def test_numbers_may_be_numpys(client: Client, settings: Settings, stub: StubWing) -> None:
    stub.task = lambda _: {"loss": np.float32(0.5), "images": np.int64(3)}
    job = done(client, settings)
    assert job.state == "succeeded"
    assert client.folder(job.id).metrics == {"loss": 0.5, "images": 3}
