"""The sweeper puts back what was lost, and nothing that was not."""

from pathlib import Path

import pytest

from jobs.claim import Claim
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import PRIORITIES, list_of, lists
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import Results
from jobs.store.saved_records import saved_ids
from jobs.store.staging import STAGING
from tests.support.processes import until
from worker.engine.sweeper import Sweeper
from worker.engine.upkeep_round import Round

TRAIN = JobSpec.make("autoencoder", "train", data="digits")


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Leases so short and rounds so close that a test need not wait for either."""
    return settings.model_copy(update={"lease_seconds": 0.0, "sweep_seconds": 0.0})


def submit(ledger: Ledger, spec: JobSpec = TRAIN) -> str:
    job_id = new_job_id()
    ledger.submit(job_id, spec)
    return job_id


def rounds(ledger: Ledger, results: Results, settings: Settings, times: int = 1) -> None:
    several = Round(ledger, results, settings)
    for _ in range(times):
        several.look()
        several.run()


def claim(ledger: Ledger, job_id: str) -> Claim:
    found = ledger.claim(job_id, "w1", 1, new_job_id())
    assert found is not None
    return found


def messages(ledger: Ledger) -> int:
    return sum(ledger.redis.llen(name) for name in lists())


def state(ledger: Ledger, job_id: str) -> str:
    record = ledger.record(job_id)
    assert record is not None
    return record.state


def staged(results: Results, job_id: str, attempt: int, token: str = "aa") -> Path:
    """A staging folder made by hand, as a worker that died anywhere may have left it."""
    folder = results.root / STAGING / f"{job_id}.{attempt}.{token}"
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"weights")
    return folder


def an_hour(ledger: Ledger, results: Results, settings: Settings) -> None:
    rounds(ledger, results, settings, int(3600 / Settings.defaults().sweep_seconds))


@pytest.mark.chaos
def test_ten_thousand_queued_jobs_and_an_hour_of_rounds_leave_ten_thousand_messages(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    finished = {"from": new_job_id()}
    specs = [JobSpec.make("autoencoder", "train", priority=priority) for priority in PRIORITIES]
    specs += [JobSpec.make("autoencoder", "generate", priority=name, **finished) for name in PRIORITIES]
    for number in range(10_000):
        submit(ledger, specs[number % len(specs)])
    lengths = [ledger.redis.llen(list_of(spec.action, spec.priority)) for spec in specs]
    assert sum(lengths) == 10_000
    assert min(lengths) > 1_600
    an_hour(ledger, results, quick)
    assert [ledger.redis.llen(list_of(spec.action, spec.priority)) for spec in specs] == lengths
    # Ten were lost on the way: they are sent again, once, into their own list.
    ledger.redis.rpop(list_of(specs[4].action, specs[4].priority), 10)
    rounds(ledger, results, quick, 20)
    assert [ledger.redis.llen(list_of(spec.action, spec.priority)) for spec in specs] == lengths
    # All were lost.
    ledger.redis.delete(*lists())
    rounds(ledger, results, quick, 20)
    assert [ledger.redis.llen(list_of(spec.action, spec.priority)) for spec in specs] == lengths


def test_an_hour_of_rounds_sends_nothing_for_a_thousand_waiting_jobs(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    training = submit(ledger)
    claim(ledger, training)
    evaluation = JobSpec.make("autoencoder", "evaluate", **{"from": training})
    waiting = [submit(ledger, evaluation) for _ in range(1_000)]
    ledger.redis.delete(*lists())
    rounds(ledger, results, settings.model_copy(update={"lease_seconds": 600.0}), 100)
    assert messages(ledger) == 0
    assert sorted(ledger.ids("waiting")) == sorted(waiting)


def test_a_job_whose_lease_ran_out_is_queued_again_and_after_three_times_failed(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    job_id = submit(ledger)
    several = Round(ledger, results, quick)
    for attempt in (1, 2, 3):
        assert claim(ledger, job_id).attempt == attempt
        for _ in range(2):
            several.look()
        several.run()
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.error, record.lost) == ("failed", "its worker died three times", 3)
    assert results.ids() == [job_id]
    told = [entry["text"] for entry in ledger.timeline(job_id)]
    assert told.count("worker died: no heartbeat for 0 s, so its lease expired") == 3


def test_a_sweeper_that_has_just_begun_gives_every_worker_a_lease(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    claim(ledger, job_id)
    ledger.redis.hset("quartet:claims", job_id, "1 token 1")  # a heartbeat of 1970, by another clock
    rounds(ledger, results, settings, 3)
    assert state(ledger, job_id) == "running"


def test_a_job_that_no_worker_understands_is_offered_once_another_kind_of_worker_is_there(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.redis.delete(*lists())
    ledger.decline(held, "old", "unknown parameter")
    ledger.announce_worker("w1", {"kind": "old"}, 60)
    rounds(ledger, results, settings, 5)
    assert messages(ledger) == 0
    ledger.announce_worker("w2", {"kind": "new"}, 60)
    rounds(ledger, results, settings, 5)
    assert messages(ledger) == 1


def test_the_first_round_of_a_worker_mends_what_jobs_are_counted_as(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    submit(ledger)
    right = ledger.measure().jobs
    ledger.redis.hset(
        "quartet:counts", mapping={"queued train normal denoiser": 70, "failed train low gone": 2}
    )
    assert ledger.measure().jobs != right
    rounds(ledger, results, settings)
    assert ledger.measure().jobs == right


def test_a_published_job_leaves_redis_after_its_time_and_one_without_a_folder_stays(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    short = settings.model_copy(update={"history_days": 1e-9})
    job_id = submit(ledger)
    ledger.cancel(job_id)
    sweeper = Sweeper(short, "w1@here")
    ledger.forget(0)
    assert ledger.ids() == [job_id]
    rounds(ledger, results, short)
    sweeper.start()
    until(lambda: ledger.ids() == [], 20, "the end of its time")
    sweeper.stop()
    assert results.ids() == [job_id]
    assert not list((results.root / ".accepted").iterdir())


@pytest.mark.parametrize(("end", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
def test_a_waiting_job_whose_upstream_ended_unnoticed_fails_with_that_reason(
    ledger: Ledger, results: Results, settings: Settings, end: str, word: str
) -> None:
    training = submit(ledger)
    waiting = submit(ledger, JobSpec.make("autoencoder", "evaluate", **{"from": training}))
    ledger.redis.delete(f"quartet:dependents:{training}")  # as if Redis had died in between
    how = "failed" if end == "failed" else "cancelled"
    ledger.finish(claim(ledger, training), how, finished=1, folder=training)
    assert state(ledger, waiting) == "waiting"
    rounds(ledger, results, settings)
    record = ledger.record(waiting)
    assert record is not None
    assert (record.state, record.error) == ("failed", f"job {training}, which it depends on, {word}")
    assert results.find(waiting) is not None, "its failure has a folder"


def test_staging_of_jobs_that_have_ended_is_removed(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    done, cancelled = submit(ledger), submit(ledger)
    (results.root / done).mkdir(parents=True)
    (results.root / done / "job.json").write_text("{}")
    ledger.finish(claim(ledger, done), "succeeded", finished=1, folder=done)
    ledger.cancel(cancelled)
    for job_id in (done, cancelled):
        staged(results, job_id, 1)
    rounds(ledger, results, settings)
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
    rounds(ledger, results, settings)
    assert [path.name.split(".")[1] for path in results.staged(job_id)] == ["1", "2"], (
        "the third attempt has not taken the checkpoint yet"
    )
    current = staged(results, job_id, 3, held.token)
    rounds(ledger, results, settings)
    assert results.staged(job_id) == [current]


def test_staging_that_may_be_needed_is_left_alone(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    queued, running, unknown = submit(ledger), submit(ledger), new_job_id()
    claim(ledger, running)
    for job_id in (queued, running, unknown):
        staged(results, job_id, 1)
    rounds(ledger, results, settings)
    assert results.staged_ids() == sorted([queued, running, unknown])


def test_a_failure_without_a_folder_gets_one_with_the_checkpoint_that_was_left(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    staged(results, job_id, held.attempt, held.token)
    ledger.finish(held, "failed", finished=1, error="the results volume is full")
    rounds(ledger, results, settings)
    folder = results.find(job_id)
    assert folder is not None
    assert folder.verify() == []
    assert (folder.path / CHECKPOINT).read_bytes() == b"weights"
    assert [event["text"] for event in folder.job["timeline"]][-2:] == [
        "failed: the results volume is full",
        "published",
    ]
    assert results.staged_ids() == ledger.unpublished() == []


def test_a_worker_that_nobody_follows_leaves_no_ended_job_without_a_folder(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    sweeper = Sweeper(settings.model_copy(update={"sweep_seconds": 600.0}), "w1@here")
    sweeper.start()
    stopped, queued = submit(ledger), submit(ledger)
    held = claim(ledger, stopped)
    staged(results, stopped, held.attempt, held.token)
    ledger.cancel(stopped)
    ledger.record_loss(held, 3, "killed")
    sweeper.stop()
    assert results.ids() == []
    sweeper.finish()
    assert (results.ids(), results.staged_ids(), saved_ids(results)) == ([stopped], [], [queued])
    assert stopped in (results.root / "index.html").read_text()


def test_a_failure_that_no_volume_takes_is_tried_again_with_the_next_round(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    results.root.write_text("a file where the folder should be")
    job_id = submit(ledger)
    ledger.finish(claim(ledger, job_id), "failed", finished=1, error="no luck")
    rounds(ledger, results, settings)
    assert ledger.unpublished() == [job_id]
    results.root.unlink()
    rounds(ledger, results, settings)
    assert ledger.unpublished() == []
    assert results.ids() == [job_id]


def test_one_job_that_cannot_be_read_stops_no_round(
    ledger: Ledger, results: Results, quick: Settings
) -> None:
    broken, other = submit(ledger), submit(ledger)
    for job_id in (broken, other):
        ledger.finish(claim(ledger, job_id), "failed", finished=1, error="no luck")
    staged(results, broken, 1)
    ledger.redis.hset(f"quartet:job:{broken}", "spec", "{")
    rounds(ledger, results, quick)
    assert results.ids() == [other]
    assert ledger.unpublished() == [broken], "its staging folder is kept"
    assert results.staged_ids() == [broken]


def test_one_worker_at_a_time_does_rounds_and_another_takes_over(settings: Settings) -> None:
    first, second = Sweeper(settings, "w1@here"), Sweeper(settings, "w2@here")
    assert first._hold_lock()
    assert not second._hold_lock()
    assert first._hold_lock(), "who holds it keeps it"
    Ledger(settings.redis_address()).redis.delete("quartet:sweeper")  # as if its time had run out
    assert second._hold_lock()
    assert not first._hold_lock()


def test_a_round_renews_its_lock_before_each_step_and_stops_once_another_has_it(
    ledger: Ledger, results: Results, settings: Settings
) -> None:
    asked: list[bool] = []

    def still_mine() -> bool:
        asked.append(len(asked) < 3)
        return asked[-1]

    one = Round(ledger, results, settings)
    one.run(still_mine)
    assert asked == [True, True, True, False]
