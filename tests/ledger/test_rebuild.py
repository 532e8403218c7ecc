"""Redis is lost for good: `quartet rebuild` puts back every job that was accepted up to the last sweep."""

import json
import os
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from jobs.client import Client
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.rebuild import Rebuilt, lost_jobs, rebuild
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import Results
from jobs.store.saved_records import FOLDER, save_records, saved_ids
from jobs.store.staging import STAGING
from tests.cli.program import quartet
from tests.store.folders import finished
from tests.support.processes import Workers, ended, until

TRAIN = JobSpec.make("denoiser", "train", data="digits", name="mine", parameters={"epochs": 3})
TOKEN = "0123456789abcdef"


def evaluation_of(training: str) -> JobSpec:
    return JobSpec.make("denoiser", "evaluate", data="digits", **{"from": training})


def lose_redis(ledger: Ledger) -> None:
    """The Redis of the tests is ours."""
    ledger.redis.flushall()
    assert ledger.ids() == []


def save(ledger: Ledger, results: Results) -> None:
    while ledger.changed(10_000):
        save_records(ledger, results)


def state(ledger: Ledger, job_id: str) -> tuple[str, str | None]:
    record = ledger.record(job_id)
    assert record is not None
    return record.state, record.error


def run(ledger: Ledger, job_id: str, end: str, folder: str = "") -> None:
    claim = ledger.claim(job_id, "w1@host", 7, TOKEN)
    assert claim is not None
    ledger.finish(claim, end, finished=ledger.now(), error=None if end == "succeeded" else "no luck", folder=folder)  # type: ignore[arg-type] # fmt: skip


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_killed_training_resumes_to_the_same_bits_and_all_that_waited_runs(
    client: Client, workers: Workers
) -> None:
    [worker] = workers.start()
    epochs = 300
    control = client.submit("denoiser", "train", data="digits", epochs=epochs, name="control")
    control = ended(client, control.id)
    killed = client.submit("denoiser", "train", data="digits", epochs=epochs, name="mine")
    waiting = client.submit("denoiser", "evaluate", source=killed.id)
    queued = client.submit("denoiser", "evaluate", source=control.id)
    staged = client.results.root / STAGING
    until(lambda: any(staged.glob(f"{killed.id}.*/{CHECKPOINT}")), 60, "a checkpoint")
    until(lambda: len(saved_ids(client.results)) == 3, 60, "a record of each accepted job")
    # The machine goes down, and with it the only copy of Redis.
    os.killpg(worker.process.pid, signal.SIGKILL)
    lose_redis(client.ledger)

    # Without a rebuild everything finished is there to read.
    assert [job.id for job in client.jobs()] == [control.id]
    assert client.job("control").headline == control.headline
    assert client.timeline(control.id)[-1]["text"] == "succeeded"
    assert lost_jobs(client.ledger, client.results) == 3

    assert str(rebuild(client.ledger, client.results)) == "restored 3 jobs: 1 waiting, 2 queued"
    assert client.job("mine").state == "queued"

    workers.start()
    for job_id in (killed.id, waiting.id, queued.id):
        assert ended(client, job_id, 180).state == "succeeded", workers.logs()
    texts = [entry["text"] for entry in client.timeline(killed.id)]
    assert texts[0].startswith("restored; queued")
    assert any(text.startswith("resumed from") for text in texts), texts
    assert client.job(killed.id).attempt == 2
    mine, other = (np.load(client.folder(job_id).path / CHECKPOINT) for job_id in (killed.id, control.id))
    assert mine.files == other.files
    for name in set(mine.files) - {"history"}:
        np.testing.assert_array_equal(mine[name], other[name])
    np.testing.assert_array_equal(mine["history"][:, :-1], other["history"][:, :-1])


def test_queued_and_waiting_jobs_come_back_in_their_order(ledger: Ledger, results: Results) -> None:
    done, training, evaluation, later, other = (new_job_id() for _ in range(5))
    finished(results, done)
    ledger.submit(training, TRAIN, continues=done)
    ledger.submit(evaluation, evaluation_of(training))
    ledger.submit(later, evaluation_of(done))
    ledger.submit(other, TRAIN)
    before = {job_id: ledger.record(job_id) for job_id in (training, evaluation, later, other)}
    save(ledger, results)
    lose_redis(ledger)
    assert lost_jobs(ledger, results) == 4
    assert str(rebuild(ledger, results)) == "restored 4 jobs: 1 waiting, 3 queued"
    for job_id, record in before.items():
        back = ledger.record(job_id)
        assert record is not None
        assert back is not None
        assert (back.state, back.stored, back.submitted) == (record.state, record.stored, record.submitted)
        assert (back.continues, back.attempt) == (record.continues, record.attempt)
    assert ledger.newest_named("mine") == other
    assert ledger.ids("queued") == sorted([training, later, other], reverse=True)
    run(ledger, training, "succeeded", training)
    assert state(ledger, evaluation) == ("queued", None)
    assert lost_jobs(ledger, results) == 0


def test_a_job_of_a_client_whose_clock_is_late_waits_for_its_training_again(
    ledger: Ledger, results: Results
) -> None:
    training, evaluation = new_job_id(), "20200101-000000-000-aaaa"
    ledger.submit(training, TRAIN)
    ledger.submit(evaluation, evaluation_of(training))
    save(ledger, results)
    lose_redis(ledger)
    assert str(rebuild(ledger, results)) == "restored 2 jobs: 1 waiting, 1 queued"
    assert state(ledger, evaluation) == ("waiting", None)


@pytest.mark.parametrize("letter", ["é", "漢", "🙂"])
def test_a_job_of_any_letters_survives_the_loss_of_redis(
    ledger: Ledger, results: Results, letter: str
) -> None:
    text = letter * (60_000 // len(letter.encode()))
    generation = JobSpec.make("sentiment", "generate", parameters={"text": [text]}, **{"from": new_job_id()})
    job_id = new_job_id()
    ledger.submit(job_id, generation)
    save(ledger, results)
    lose_redis(ledger)
    assert lost_jobs(ledger, results) == 1


def test_a_rebuild_may_be_repeated_and_changes_nothing_then(ledger: Ledger, results: Results) -> None:
    ids = [new_job_id() for _ in range(3)]
    for job_id in ids:
        ledger.submit(job_id, TRAIN)
    save(ledger, results)
    assert rebuild(ledger, results) == Rebuilt(), "what the ledger knows is left alone"
    lose_redis(ledger)
    assert rebuild(ledger, results).states == {"queued": 3}
    run(ledger, ids[0], "failed")
    size = ledger.redis.dbsize()
    assert rebuild(ledger, results) == Rebuilt()
    assert ledger.redis.dbsize() == size
    save(ledger, results)
    lose_redis(ledger)
    assert str(rebuild(ledger, results)) == "restored 3 jobs: 2 queued, 1 failed"


def test_a_job_that_ended_without_a_folder_comes_back_as_it_ended(ledger: Ledger, results: Results) -> None:
    failed, cancelled = new_job_id(), new_job_id()
    ledger.submit(failed, TRAIN)
    run(ledger, failed, "failed")
    ledger.submit(cancelled, TRAIN)
    ledger.cancel(cancelled)
    before = ledger.record(failed)
    save(ledger, results)
    lose_redis(ledger)
    assert str(rebuild(ledger, results)) == "restored 2 jobs: 1 failed, 1 cancelled"
    after = ledger.record(failed)
    assert before is not None
    assert after is not None
    assert (after.state, after.error, after.finished) == ("failed", "no luck", before.finished)
    assert state(ledger, cancelled)[0] == "cancelled"
    assert ledger.unpublished() == sorted([failed, cancelled]), "the sweeper writes their folders"


def test_published_jobs_stay_in_their_folders(ledger: Ledger, results: Results) -> None:
    published, forgotten = new_job_id(), new_job_id()
    ledger.submit(published, TRAIN)
    save(ledger, results)
    for job_id in (published, forgotten):
        finished(results, job_id)
    lose_redis(ledger)
    assert lost_jobs(ledger, results) == 0
    assert rebuild(ledger, results) == Rebuilt()
    assert (ledger.ids(), saved_ids(results)) == ([], [])
    assert [row.id for row in History(results).newest(5)] == [forgotten, published]


def test_a_job_whose_dependency_was_lost_or_failed_fails_with_that_reason(
    ledger: Ledger, results: Results
) -> None:
    lost, failed, cancelled = new_job_id(), new_job_id(), new_job_id()
    for job_id in (lost, failed, cancelled):
        ledger.submit(job_id, TRAIN)
    of = {needed: new_job_id() for needed in (lost, failed, cancelled)}
    for needed, job_id in of.items():
        ledger.submit(job_id, evaluation_of(needed))
    save(ledger, results)
    (results.root / FOLDER / f"{lost}.json").unlink()  # as if accepted since the last sweep
    finished(results, failed, state="failed")
    finished(results, cancelled, state="cancelled")
    lose_redis(ledger)
    rebuild(ledger, results)
    assert state(ledger, of[lost]) == ("failed", f"job {lost}, which it depends on, was lost with Redis")
    assert state(ledger, of[failed]) == ("failed", f"job {failed}, which it depends on, failed")
    assert state(ledger, of[cancelled]) == ("failed", f"job {cancelled}, which it depends on, was cancelled")


def job_json(job_id: str, **changes: object) -> dict[str, object]:
    spec = {"model": "autoencoder", "action": "train", "data": "digits", "parameters": {"epochs": 3}}
    times = dict.fromkeys(("submitted", "started", "finished"), "2026-11-23T22:15:30.042Z")
    common = {"id": job_id, "state": "running", "spec": spec, "attempt": 2, "continues": None, "times": times}
    return common | {"worker": "w1@host", "error": None, "headline": None, "timeline": []} | changes


def stage(results: Results, job_id: str, content: object, attempt: str = f"1.{TOKEN}") -> Path:
    path = results.root / STAGING / f"{job_id}.{attempt}"
    path.mkdir(parents=True)
    (path / "job.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("attempt", ["4", f"4.{TOKEN}"])
def test_whatever_was_running_is_queued_again_with_its_attempt(
    ledger: Ledger, results: Results, attempt: str
) -> None:
    saved, unsaved = new_job_id(), new_job_id()
    ledger.submit(saved, TRAIN)
    save(ledger, results)
    lose_redis(ledger)
    for job_id in (saved, unsaved):
        stage(results, job_id, job_json(job_id), attempt)
    assert str(rebuild(ledger, results)) == "restored 2 jobs: 2 queued"
    for job_id in (saved, unsaved):
        record = ledger.record(job_id)
        assert record is not None
        assert (record.state, record.attempt, record.error) == ("queued", 4, None)
        assert ledger.claim(job_id, "w1@host", 7, TOKEN) is not None


HOSTILE = {
    "no JSON": "{",
    "a list": [],
    "no spec": {"state": "running"},
    "no model": {"spec": {"action": "train"}},
    "an action of its own": {"spec": {"model": "x", "action": "../x"}},
    "a state of its own": {"state": "asleep"},
    "a time that is none": {"times": {"submitted": "yesterday", "started": "", "finished": ""}},
    "a time before all": {"times": {"submitted": "0001-01-01T00:00:00+23:59"}},
    "a worker that is a list": {"worker": []},
    "a source that is none": {"spec": {"model": "x", "action": "train", "from": []}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_named_and_hides_no_other(ledger: Ledger, results: Results, name: str) -> None:
    content, bad, good = HOSTILE[name], new_job_id(), new_job_id()
    if isinstance(content, dict) and content != HOSTILE["no spec"]:
        content = job_json(bad) | content
    where = stage(results, bad, content)
    stage(results, good, job_json(good))
    (results.root / FOLDER).mkdir()
    damaged = results.root / FOLDER / f"{new_job_id()}.json"
    os.mkfifo(damaged)
    done = rebuild(ledger, results)
    assert (done.states, done.unreadable) == ({"queued": 1}, [where, damaged])


def test_a_damaged_record_of_a_job_that_is_staged_is_not_missed(ledger: Ledger, results: Results) -> None:
    job_id = new_job_id()
    stage(results, job_id, job_json(job_id))
    (results.root / FOLDER).mkdir()
    (results.root / FOLDER / f"{job_id}.json").write_text("{")
    assert str(rebuild(ledger, results)) == "restored 1 job: 1 queued"


def test_a_job_of_a_model_that_is_not_installed_comes_back_all_the_same(
    ledger: Ledger, results: Results
) -> None:
    job_id = new_job_id()
    stage(results, job_id, job_json(job_id, spec={"model": "unheard", "action": "train"}))
    assert rebuild(ledger, results).states == {"queued": 1}


def test_a_record_of_another_id_restores_no_other_job(ledger: Ledger, results: Results) -> None:
    job_id = new_job_id()
    stage(results, job_id, job_json("../../../etc"))
    rebuild(ledger, results)
    assert ledger.ids() == [job_id]


def test_a_rebuild_beside_workers_and_clients_trips_over_nothing(ledger: Ledger, results: Results) -> None:
    stop, problems = threading.Event(), []

    def work(number: int) -> None:
        """Submit, stage, write, publish or remove, as fast as it goes."""
        while not stop.is_set():
            job_id = new_job_id()
            try:
                ledger.submit(job_id, TRAIN)
                path = stage(results, job_id, "{" if number else job_json(job_id))
                (path / "job.json").write_text(json.dumps(job_json(job_id)))
                if number:
                    shutil.rmtree(path)
                else:
                    path.rename(results.root / job_id)
            except Exception as error:
                problems.append(error)

    results.root.mkdir()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        done = [rebuild(ledger, results)]
        while threads[0].is_alive() and len(ledger.ids()) < 1_000:
            done.append(rebuild(ledger, results))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert done == [Rebuilt()] * len(done)
    assert len(done) > 10


def test_lost_jobs_are_counted_at_a_bounded_cost(ledger: Ledger, results: Results) -> None:
    assert lost_jobs(ledger, results) == 0
    ids = [new_job_id() for _ in range(30)]
    for job_id in ids:
        ledger.submit(job_id, TRAIN)
    save(ledger, results)
    assert lost_jobs(ledger, results) == 0
    lose_redis(ledger)
    assert (lost_jobs(ledger, results), lost_jobs(ledger, results, most=10)) == (30, 10)


def test_the_command_says_what_came_back_and_names_what_did_not(
    settings: Settings, ledger: Ledger, results: Results
) -> None:
    queued, running, bad = new_job_id(), new_job_id(), new_job_id()
    ledger.submit(queued, TRAIN)
    save(ledger, results)
    lose_redis(ledger)
    stage(results, running, job_json(running))
    assert quartet(settings, "rebuild").stdout == "restored 2 jobs: 2 queued\n"
    where = stage(results, bad, "{")
    (results.root / "sweeps" / "rates").mkdir(parents=True)
    (results.root / "sweeps" / "rates" / "sweep.json").write_text("{")
    again = quartet(settings, "rebuild", code=1)
    assert again.stdout == "restored 0 jobs\n"
    assert again.stderr == (
        f"quartet: 2 jobs or sweeps in {results.root} could not be read: "
        f"{where.relative_to(results.root)}, sweeps/rates/sweep.json\n"
    )
