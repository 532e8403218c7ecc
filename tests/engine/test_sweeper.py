"""The sweeper puts back what was lost, and nothing that was not."""

from pathlib import Path

import pytest

from jobs.ids import new_job_id
from jobs.ledger.job_record import Claim
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import PRIORITIES, list_of, lists
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import STAGING, Results
from worker.engine.sweeper import Sweeper, sweep

TRAIN = JobSpec.make("autoencoder", "train", data="digits")


@pytest.fixture
def results(settings: Settings) -> Results:
    return Results(settings.results_dir)


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings.redis_address())


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Leases so short and sweeps so close that a test need not wait for either."""
    return settings.model_copy(update={"lease_seconds": 0.0, "sweep_seconds": 0.0})


def submit(ledger: Ledger, spec: JobSpec = TRAIN) -> str:
    job_id = new_job_id()
    ledger.submit(job_id, spec)
    return job_id


def claim(ledger: Ledger, job_id: str, lease_seconds: float = 30) -> Claim:
    found = ledger.claim(job_id, "w1", lease_seconds, new_job_id())
    assert found is not None
    return found


def messages(ledger: Ledger) -> int:
    return sum(ledger.redis.llen(name) for name in lists())


def state(ledger: Ledger, job_id: str) -> str:
    record = ledger.record(job_id)
    assert record is not None
    return record.state


def staged(results: Results, job_id: str, attempt: int) -> Path:
    """A staging folder made by hand, as a worker that died anywhere may have left it."""
    folder = results.root / STAGING / f"{job_id}.{attempt}"
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"weights")
    return folder


def an_hour(ledger: Ledger, results: Results, settings: Settings) -> None:
    for _ in range(int(3600 / Settings.defaults().sweep_seconds)):
        sweep(ledger, results, settings)


def test_ten_thousand_queued_jobs_and_an_hour_of_sweeping_leave_ten_thousand_messages(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    finished = {"from": new_job_id()}
    specs = [JobSpec.make("autoencoder", "train", priority=priority) for priority in PRIORITIES]
    specs += [JobSpec.make("autoencoder", "generate", priority=name, **finished) for name in PRIORITIES]
    for number in range(10_000):
        submit(ledger, specs[number % len(specs)])
    lengths = [ledger.redis.llen(list_of(spec)) for spec in specs]
    assert sum(lengths) == 10_000
    assert min(lengths) > 1_600
    an_hour(ledger, results, quick)
    assert [ledger.redis.llen(list_of(spec)) for spec in specs] == lengths
    # Ten were lost on the way: they are sent again, once, into their own list.
    ledger.redis.lpop(list_of(specs[4]), 10)
    for _ in range(20):
        sweep(ledger, results, quick)
    assert [ledger.redis.llen(list_of(spec)) for spec in specs] == lengths
    # All were lost.
    ledger.redis.delete(*lists())
    for _ in range(20):
        sweep(ledger, results, quick)
    assert [ledger.redis.llen(list_of(spec)) for spec in specs] == lengths


def test_an_hour_of_sweeping_sends_nothing_for_a_thousand_waiting_jobs(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    training = submit(ledger)
    claim(ledger, training, 3600)
    evaluation = JobSpec.make("autoencoder", "evaluate", **{"from": training})
    waiting = [submit(ledger, evaluation) for _ in range(1_000)]
    ledger.redis.delete(*lists())
    for _ in range(100):
        sweep(ledger, results, settings)
    assert messages(ledger) == 0
    assert sorted(ledger.ids("waiting")) == sorted(waiting)


def test_a_job_whose_lease_ran_out_is_queued_again_and_after_three_times_failed(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    job_id = submit(ledger)
    for attempt in (1, 2, 3):
        assert claim(ledger, job_id, -1).attempt == attempt
        sweep(ledger, results, quick)
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.error, record.lost) == ("failed", "its worker died three times", 3)
    assert results.ids() == [job_id]
    told = [entry["text"] for entry in ledger.timeline(job_id)]
    assert told.count("worker died: no heartbeat for 0 s, so its lease expired") == 3


def test_after_a_restart_of_redis_workers_get_the_time_of_a_lease(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    claim(ledger, job_id, -1)
    sweep(ledger, results, settings.model_copy(update={"lease_seconds": ledger.uptime_seconds() + 60.0}))
    assert state(ledger, job_id) == "running"


@pytest.mark.parametrize(("end", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
def test_a_waiting_job_whose_upstream_ended_unnoticed_fails_with_that_reason(
    ledger: Ledger, results: Results, settings: Settings, end: str, word: str
) -> None:
    training = submit(ledger)
    waiting = submit(ledger, JobSpec.make("autoencoder", "evaluate", **{"from": training}))
    ledger.redis.delete(f"quartet:dependents:{training}")  # as if Redis had died in between
    ledger.finish(claim(ledger, training), "failed" if end == "failed" else "cancelled", folder=training)
    assert state(ledger, waiting) == "waiting"
    sweep(ledger, results, settings)
    record = ledger.record(waiting)
    assert record is not None
    assert (record.state, record.error) == ("failed", f"job {training}, which it depends on, {word}")
    assert results.find(waiting) is not None, "its failure has a folder"


def test_staging_of_jobs_that_have_ended_is_removed(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    done, cancelled = submit(ledger), submit(ledger)
    ledger.finish(claim(ledger, done), "succeeded", folder=done)
    ledger.cancel(cancelled)
    for job_id in (done, cancelled):
        staged(results, job_id, 1)
    sweep(ledger, results, settings)
    assert results.staged_ids() == []


def test_staging_of_attempts_before_the_current_one_is_removed_once_that_has_its_own(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    for _ in range(3):
        held = claim(ledger, job_id)
        if held.attempt < 3:
            ledger.hand_back(held, "the test said so")
    staged(results, job_id, 1)
    staged(results, job_id, 2)
    sweep(ledger, results, settings)
    assert results.staged_attempts(job_id) == [1, 2], "the third attempt has not taken the checkpoint yet"
    staged(results, job_id, 3)
    sweep(ledger, results, settings)
    assert results.staged_attempts(job_id) == [3]


def test_staging_that_may_be_needed_is_left_alone(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    queued, running, unknown = submit(ledger), submit(ledger), new_job_id()
    claim(ledger, running)
    for job_id in (queued, running, unknown):
        staged(results, job_id, 1)
    sweep(ledger, results, settings)
    assert results.staged_ids() == sorted([queued, running, unknown])


def test_a_failure_without_a_folder_gets_one_with_the_checkpoint_that_was_left(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    staged(results, job_id, held.attempt)
    ledger.finish(held, "failed", error="the results volume is full")
    sweep(ledger, results, settings)
    folder = results.find(job_id)
    assert folder is not None
    assert folder.verify() == []
    assert (folder.path / CHECKPOINT).read_bytes() == b"weights"
    assert [event["text"] for event in folder.job["timeline"]][-2:] == [
        "failed: the results volume is full",
        "published",
    ]
    assert results.staged_ids() == ledger.unpublished() == []


def test_a_failure_that_no_volume_takes_is_tried_again_with_the_next_sweep(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    results.root.write_text("a file where the folder should be")
    job_id = submit(ledger)
    ledger.finish(claim(ledger, job_id), "failed", error="no luck")
    sweep(ledger, results, settings)
    assert ledger.unpublished() == [job_id]
    results.root.unlink()
    sweep(ledger, results, settings)
    assert ledger.unpublished() == []
    assert results.ids() == [job_id]


def test_one_job_that_cannot_be_read_stops_no_sweep(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    broken, other = submit(ledger), submit(ledger)
    for job_id in (broken, other):
        ledger.finish(claim(ledger, job_id), "failed", error="no luck")
    staged(results, broken, 1)
    ledger.redis.hset(f"quartet:job:{broken}", "spec", "{")
    sweep(ledger, results, quick)
    assert results.ids() == [other]
    assert ledger.unpublished() == []


def test_one_worker_at_a_time_sweeps_and_another_takes_over(settings: Settings) -> None:
    first, second = Sweeper(settings, "w1@here"), Sweeper(settings, "w2@here")
    assert first._hold_lock()
    assert not second._hold_lock()
    assert first._hold_lock(), "who holds it keeps it"
    Ledger(settings.redis_address()).redis.delete("quartet:sweeper")  # as if its time had run out
    assert second._hold_lock()
    assert not first._hold_lock()
