"""Redis is lost for good: `quartet rebuild` puts back what the results folder knows."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.errors import DamagedFolder
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import list_of
from jobs.ledger.rebuild import rebuild
from jobs.settings import Settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import STAGING, Results
from tests.support.processes import Workers, ended, until


def lose_redis(client: Client) -> None:
    """The Redis of the tests is ours."""
    client.ledger.redis.flushall()
    assert client.ledger.ids() == []


@pytest.mark.chaos
def test_finished_jobs_come_back_and_a_running_training_job_resumes_to_the_same_bits(
    client: Client, workers: Workers
) -> None:
    [worker] = workers.start()
    epochs = 1_500
    control = client.submit("denoiser", "train", data="digits", epochs=epochs, name="control")
    control = ended(client, control.id)
    killed = client.submit("denoiser", "train", data="digits", epochs=epochs, name="mine")
    waiting = client.submit("denoiser", "evaluate", source=killed.id)
    staged = client.results.root / STAGING
    until(lambda: any(staged.glob(f"{killed.id}.*/{CHECKPOINT}")), 60, "a checkpoint")
    # The machine goes down, and with it the only copy of Redis.
    os.killpg(worker.process.pid, signal.SIGKILL)
    lose_redis(client)

    # Without a rebuild everything finished is there to read.
    assert [job.id for job in client.jobs()] == [control.id]
    assert client.job("control").headline == control.headline
    assert client.timeline(control.id)[-1]["text"] == "succeeded"

    done = rebuild(client.ledger, client.results)
    assert (done.finished, done.queued, done.unreadable) == (1, 1, [])
    assert rebuild(client.ledger, client.results).finished == 0, "what the ledger knows is left alone"
    back = client.job(control.id)
    assert (back.state, back.headline) == ("succeeded", control.headline)
    assert back.submitted == control.submitted
    assert client.job("mine").state == "queued"
    assert waiting.id not in client.ledger.ids()

    workers.start()
    assert ended(client, killed.id).state == "succeeded", workers.logs()
    texts = [entry["text"] for entry in client.timeline(killed.id)]
    assert texts[0].startswith("restored from its staging folder; queued")
    assert any(text.startswith("resumed from") for text in texts), texts
    assert client.job(killed.id).attempt == 2
    mine, other = (np.load(client.folder(job_id).path / CHECKPOINT) for job_id in (killed.id, control.id))
    assert mine.files == other.files
    for name in set(mine.files) - {"history"}:
        np.testing.assert_array_equal(mine[name], other[name])
    np.testing.assert_array_equal(mine["history"][:, :-1], other["history"][:, :-1])
    # A job may need a training that was restored.
    evaluation = client.submit("denoiser", "evaluate", source=control.id)
    assert ended(client, evaluation.id).state == "succeeded", workers.logs()


@pytest.fixture
def results(settings: Settings) -> Results:
    return Results(settings.results_dir)


def record(job_id: str, **changes: object) -> dict[str, object]:
    spec = {"model": "autoencoder", "action": "train", "data": "digits", "parameters": {"epochs": 3}}
    times = dict.fromkeys(("submitted", "started", "finished"), "2026-11-23T22:15:30.042Z")
    common = {"id": job_id, "state": "failed", "spec": spec, "attempt": 2, "continues": None, "times": times}
    return common | {"worker": "w1@host", "error": "no luck", "headline": None, "timeline": []} | changes


def folder_of(path: Path, content: object) -> str:
    path.mkdir(parents=True)
    (path / "job.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return path.name.partition(".")[0]


def test_a_failed_job_comes_back_with_its_reason_and_can_be_tried_again(
    settings: Settings, results: Results
) -> None:
    job_id = new_job_id()
    folder_of(results.root / job_id, record(job_id))
    client = Client(settings)
    assert rebuild(client.ledger, results).finished == 1
    assert (client.job(job_id).state, client.job(job_id).error) == ("failed", "no luck")
    assert client.retry(job_id).state == "queued"


def test_whatever_was_running_is_queued_again(settings: Settings, results: Results) -> None:
    ledger = Ledger(settings.redis_address())
    job_id = new_job_id()
    folder_of(results.root / STAGING / f"{job_id}.1", record(job_id, state="running", attempt=1, error=None))
    assert rebuild(ledger, results).queued == 1
    found = ledger.record(job_id)
    assert found is not None
    assert (found.state, found.attempt, found.error) == ("queued", 1, None)
    assert ledger.redis.llen(list_of(found.spec)) == 1


HOSTILE = {
    "no JSON": "{",
    "a list": [],
    "no spec": {"state": "failed"},
    "an unknown model": {"spec": {"model": "x", "action": "train"}},
    "a state of its own": {"state": "queued"},
    "a time that is none": {"times": {"submitted": "yesterday", "started": "", "finished": ""}},
    "an attempt that is no number": {"attempt": "many"},
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("staged", [False, True])
def test_a_folder_that_cannot_be_read_is_named_and_hides_no_other(
    settings: Settings, results: Results, name: str, staged: bool
) -> None:
    content, bad, good = HOSTILE[name], new_job_id(), new_job_id()
    if isinstance(content, dict) and content != HOSTILE["no spec"]:
        content = record(bad) | content
    where = results.root / STAGING / f"{bad}.1" if staged else results.root / bad
    folder_of(where, content)
    folder_of(results.root / good, record(good))
    done = rebuild(Ledger(settings.redis_address()), results)
    # What is staged has not ended: its state is not looked at, and its attempt is the folder's.
    readable = staged and name in ("a state of its own", "an attempt that is no number")
    assert (done.finished, done.unreadable) == (1, [] if readable else [where])


def test_a_record_of_another_id_restores_no_other_job(settings: Settings, results: Results) -> None:
    job_id = new_job_id()
    folder_of(results.root / job_id, record("../../../etc"))
    ledger = Ledger(settings.redis_address())
    rebuild(ledger, results)
    assert ledger.ids() == [job_id]


def test_a_folder_that_is_no_jobs_record_is_named_when_asked_for(
    settings: Settings, results: Results
) -> None:
    job_id = new_job_id()
    folder_of(results.root / job_id, [])
    client = Client(settings)
    assert client.jobs() == []
    with pytest.raises(DamagedFolder, match=rf"{job_id}: job\.json is not a job's record"):
        client.job(job_id)


def test_the_command_says_what_came_back_and_names_what_did_not(settings: Settings, results: Results) -> None:
    good, running, bad = new_job_id(), new_job_id(), new_job_id()
    folder_of(results.root / good, record(good))
    folder_of(results.root / STAGING / f"{running}.2", record(running, state="running"))
    command = [str(Path(sys.executable).with_name("quartet")), "rebuild"]
    environment = os.environ | settings.environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    said = "restored 1 finished job; queued 1 unfinished job\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    folder_of(results.root / bad, "{")
    again = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (1, "restored 0 finished jobs; queued 0 unfinished jobs\n")
    assert again.stderr == f"quartet: 1 folder in {results.root} could not be read: {bad}\n"
