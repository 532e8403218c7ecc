"""A sweep's entry and its job are written in one step, once, and only while the sweep runs."""

import json

import pytest

from jobs.client import Client
from jobs.errors import InvalidJob
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.sweep_record import description
from jobs.spec import JobSpec
from jobs.sweeps.entry import Entry
from tests.sweeps.stand_in_worker import StandIn, sweep_of
from worker.engine.sweep_advancer import wait_for_trials

SWEEP = sweep_of()
TRAIN = JobSpec.make("autoencoder", "train", data="digits")


@pytest.fixture
def begun(ledger: Ledger) -> Ledger:
    assert ledger.put_sweep(SWEEP)
    return ledger


def entry(trial: int = 0, job: str | None = None) -> Entry:
    return Entry(trial, 0, None, job or new_job_id(), {"learning_rate": 0.1 + 0.2}, 0)


def beginning(begun: Ledger) -> int:
    record = begun.sweep("bowl")
    assert record is not None
    return record.created


def test_a_sweep_is_read_as_it_was_put(begun: Ledger) -> None:
    record = begun.sweep("bowl")
    assert record is not None
    assert (record.state, record.spec, record.entries, record.why) == ("running", SWEEP, (), "")
    assert record.changes > record.saved
    assert begun.sweep_states() == {"bowl": "running"}
    assert begun.sweep("other") is None


def test_a_trial_is_queued_with_its_entry_and_says_of_which_sweep_it_is(begun: Ledger) -> None:
    first = entry()
    assert begun.submit_trial("bowl", first, TRAIN) == "added"
    record, sweep = begun.record(first.job), begun.sweep("bowl")
    assert record is not None
    assert sweep is not None
    assert record.state == "queued"
    assert record.sweep == {"name": "bowl", "entry": first.as_dict()}
    assert sweep.entries == (first,)  # with each digit of its point
    assert begun.submit_trial("bowl", first, TRAIN) == "added"  # as when the answer was lost
    assert len(begun.ids()) == 1


def test_no_two_jobs_get_the_same_entry(begun: Ledger) -> None:
    assert begun.submit_trial("bowl", entry(), TRAIN) == "added"
    assert begun.submit_trial("bowl", entry(), TRAIN) == "taken"
    assert begun.add_reused("bowl", entry(), beginning(begun)) == "taken"
    assert len(begun.ids()) == 1


@pytest.mark.parametrize("state", ["stopped", "ended"])
def test_a_sweep_that_does_not_run_takes_no_trial(begun: Ledger, state: str) -> None:
    assert begun.end_sweep("bowl", state, "because") == "running"  # type: ignore[arg-type]
    assert begun.submit_trial("bowl", entry(), TRAIN) == "over"
    assert begun.add_reused("bowl", entry(), beginning(begun)) == "over"
    assert begun.submit_trial("unknown", entry(), TRAIN) == "over"
    assert begun.ids() == []
    record = begun.sweep("bowl")
    assert record is not None
    assert (record.state, record.why, record.ended is not None) == (state, "because", True)
    assert begun.end_sweep("bowl", "ended", "again") == state
    assert begun.end_sweep("unknown", "ended", "") is None


def test_a_trial_that_uses_a_failed_job_is_refused_whole(begun: Ledger) -> None:
    training = new_job_id()
    begun.submit(training, TRAIN)
    begun.cancel(training)
    with pytest.raises(InvalidJob):
        begun.submit_trial("bowl", entry(), JobSpec.make("autoencoder", "evaluate", **{"from": training}))
    sweep = begun.sweep("bowl")
    assert sweep is not None
    assert sweep.entries == ()


def test_another_description_replaces_the_one_that_was_read_and_no_other(begun: Ledger) -> None:
    wider = SWEEP.model_copy(update={"parallel": 7})
    assert not begun.put_sweep(wider, "{}")
    assert not begun.put_sweep(wider)
    assert begun.put_sweep(wider, description(SWEEP))
    record = begun.sweep("bowl")
    assert record is not None
    assert record.spec.parallel == 7


def test_a_retried_trial_takes_the_place_of_the_one_that_failed(client: Client) -> None:
    client.ledger.put_sweep(sweep_of())
    failing = StandIn(client, lambda _: None)
    failing.advance()
    failing.end_queued()
    sweep = client.find_sweep("bowl")
    before = sweep.entries[1]
    new = client.retry(before.job)
    after = sweep.refresh().entries[1]
    assert (after.job, after.key, after.point) == (new.id, before.key, before.point)
    record = client.ledger.record(new.id)
    assert record is not None
    assert record.sweep == {"name": "bowl", "entry": after.as_dict()}
    assert sweep.entries[0].job == sweep.trials[0].job


def test_a_retry_that_outlived_the_record_of_the_job_before_is_of_the_sweep_too(client: Client) -> None:
    client.ledger.put_sweep(sweep_of())
    failing = StandIn(client, lambda _: None)
    failing.advance()
    failing.end_queued()
    client.ledger.forget(-1)
    before = client.find_sweep("bowl").entries[0]
    assert client.ledger.record(before.job) is None
    new = client.retry(before.job)
    assert client.find_sweep("bowl").entries[0].job == new.id


def test_a_reason_to_stop_is_in_the_record_and_the_timeline(ledger: Ledger) -> None:
    job_id = new_job_id()
    ledger.submit(job_id, TRAIN)
    ledger.cancel(job_id, "stopped: worse than the median")
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.error) == ("cancelled", "stopped: worse than the median")
    running = new_job_id()
    ledger.submit(running, TRAIN)
    claim = ledger.claim(running, "w1", 1, "aa")
    assert claim is not None
    ledger.cancel(running, "stopped: enough")
    assert ledger.why_stopped(claim) == "stopped: enough"
    assert ledger.timeline(running)[-1]["text"] == "stop requested: stopped: enough"


def test_an_ended_sweep_is_forgotten_once_its_file_is_written_and_its_time_is_over(begun: Ledger) -> None:
    begun.end_sweep("bowl", "ended", "")
    assert not begun.forget_sweep("bowl", -1)  # its file is not up to date
    record = begun.sweep("bowl")
    assert record is not None
    assert begun.sweep_saved(record)
    assert not begun.forget_sweep("bowl", 3600)
    assert begun.forget_sweep("bowl", -1)
    assert begun.sweep("bowl") is None
    assert not begun.sweep_saved(record)
    assert begun.redis.keys("quartet:*bowl*") == []


def test_what_an_earlier_version_left_of_a_deleted_sweep_keeps_none_from_being_restored(
    begun: Ledger,
) -> None:
    record = begun.sweep("bowl")
    assert record is not None
    begun.redis.delete("quartet:sweep:bowl", "quartet:entries:bowl")
    begun.redis.hset("quartet:sweep:bowl", "saved", 1)
    assert begun.restore_sweep(record, "running", record.entries)
    restored = begun.sweep("bowl")
    assert restored is not None
    assert restored.as_dict() == record.as_dict()


def test_the_end_of_a_trial_wakes_whoever_advances_sweeps_and_another_job_does_not(begun: Ledger) -> None:
    assert wait_for_trials(begun)  # the sweep began
    other, first = new_job_id(), entry()
    begun.submit(other, TRAIN)
    begun.cancel(other)
    assert not wait_for_trials(begun)
    begun.submit_trial("bowl", first, TRAIN)
    begun.cancel(first.job)
    assert wait_for_trials(begun)
    assert begun.redis.llen("quartet:trials_ended") == 0


def test_what_cannot_be_read_of_a_sweep_is_one_sentence(begun: Ledger) -> None:
    begun.redis.hset("quartet:entries:bowl", "0.0", json.dumps({"trial": 0}))
    with pytest.raises(Exception, match="sweep bowl: expected one that this version can read"):
        begun.sweep("bowl")
