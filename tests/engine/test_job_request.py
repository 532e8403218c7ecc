"""Celery's log and events, and so Flower, say of each job what the ledger says."""

import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from celery import Celery

from jobs.client import Client
from jobs.settings import Settings
from jobs.spec import JobSpec
from tests.support.processes import Workers, ended, progress_of, until
from worker.engine.celery_settings import celery_settings

pytestmark = pytest.mark.chaos


@pytest.fixture
def events(settings: Settings) -> Iterator[dict[str, list[str]]]:
    """Each job's events, as Flower gets them."""
    app = Celery("listener")
    app.conf.update(celery_settings(settings.redis_address()))
    found: dict[str, list[str]] = defaultdict(list)

    def note(event: dict[str, str]) -> None:
        if "uuid" in event:
            found[event["uuid"]].append(event["type"])

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": note})
        capture = partial(receiver.capture, limit=None, timeout=None, wakeup=False)
        thread = threading.Thread(target=capture, daemon=True)
        thread.start()
        yield found
        receiver.should_stop = True
        thread.join(10)


def ends(events: dict[str, list[str]], job_id: str) -> set[str]:
    return set(events[job_id]) - {"task-received", "task-started"}


def test_celerys_result_is_the_jobs_state(
    client: Client, workers: Workers, tmp_path: Path, events: dict[str, list[str]]
) -> None:
    [worker] = workers.start()
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and nothing more")
    good = client.submit("autoencoder", "train", data="digits", epochs=1)
    bad = client.submit_spec(JobSpec.make("autoencoder", "train", data=str(tmp_path / "broken.npz")))
    long = client.submit("autoencoder", "train", data="digits", epochs=100_000)
    until(lambda: progress_of(client, long.id).get("epoch"), 90, "a running training job")
    until(lambda: events[long.id], 30, "events")
    client.cancel(long.id)
    ended(client, long.id)
    assert (ended(client, good.id).state, ended(client, bad.id).state) == ("succeeded", "failed")

    # One that goes on elsewhere.
    other = client.submit("autoencoder", "train", data="digits", epochs=100_000)
    until(lambda: progress_of(client, other.id).get("epoch"), 60, "a running training job")
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(60)
    assert client.job(other.id).state == "queued"

    expected = {
        good.id: {"task-succeeded"},
        bad.id: {"task-failed"},
        long.id: {"task-revoked"},
        other.id: set(),
    }
    until(lambda: {job_id: ends(events, job_id) for job_id in expected} == expected, 20, "these events")
    log = (workers.folder / "w1.log").read_text()
    succeeded = [line for line in log.splitlines() if "succeeded in" in line]
    assert len(succeeded) == 1
    assert good.id in succeeded[0]
    after_failure = log.partition(f"train[{bad.id}] raised expected: JobFailed('job {bad.id} failed')\n")[2]
    assert after_failure.startswith("[")  # and no traceback
    assert f"train[{long.id}] ignored" in log
    assert f"train[{other.id}] ignored" in log
