"""A sweep outlives Redis: it goes on from its file and its jobs, and nothing runs twice."""

from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import JobConflict
from jobs.ledger.rebuild import rebuild
from jobs.store.saved_records import save_records
from jobs.sweeps.rebuild_sweeps import LostSweeps
from jobs.sweeps.sweep import LOST
from jobs.sweeps.sweep_folder import FILE, sweep_folder
from tests.sweeps.stand_in_worker import RATES, StandIn, sweep_of

SEARCH = {"parameters": {"learning_rate": RATES}, "run_cap": 12, "parallel": 4}


def lose_redis(client: Client) -> None:
    client.ledger.redis.flushall()


def sweep_half_way(client: Client, **fields: object) -> StandIn:
    """Some trials have ended, some are queued, one runs."""
    client.create_sweep(sweep_of(**{"method": "tpe", **SEARCH, **fields}))
    stand_in = StandIn(client)
    for _ in range(2):
        stand_in.advance()
        stand_in.end_queued()
    stand_in.advance()
    return stand_in


def save(client: Client) -> None:
    while client.ledger.changed(10_000):
        save_records(client.ledger, client.results)


def test_a_sweep_goes_on_after_redis_was_lost_and_nothing_runs_twice(client: Client) -> None:
    stand_in = sweep_half_way(client)
    save(client)
    before = client.find_sweep("bowl").entries
    assert len(before) == 12
    lose_redis(client)
    done = rebuild(client.ledger, client.results)
    assert str(done) == "restored 4 jobs: 4 queued; 1 sweep: bowl"
    assert client.find_sweep("bowl").entries == before
    stand_in.run()
    sweep = client.find_sweep("bowl")
    assert sweep.entries == before
    assert sweep.counts == {"succeeded": 12}
    assert len(client.results.ids()) == 12


def test_what_the_file_did_not_know_yet_is_known_from_the_jobs(client: Client) -> None:
    client.create_sweep(sweep_of(method="random", **SEARCH))
    stand_in = StandIn(client)
    stand_in.advance()
    file = sweep_folder(client.results, "bowl") / FILE
    old = file.read_bytes()
    stand_in.end_queued()
    stand_in.advance()
    save(client)
    before = client.find_sweep("bowl").entries
    file.write_bytes(old)
    lose_redis(client)
    rebuild(client.ledger, client.results)
    assert client.find_sweep("bowl").entries == before


def test_a_job_that_was_lost_with_redis_is_asked_for_again(client: Client) -> None:
    stand_in = sweep_half_way(client)  # no record of the last four was saved
    before = client.find_sweep("bowl").entries
    lose_redis(client)
    rebuild(client.ledger, client.results)
    assert client.find_sweep("bowl").entries == before[:8]
    stand_in.run()
    sweep = client.find_sweep("bowl")
    assert [each.trial for each in sweep.entries] == list(range(12))
    assert [each.point for each in sweep.entries] == [each.point for each in before]  # it saw the same
    assert sweep.counts == {"succeeded": 12}


def test_a_retry_is_found_in_place_of_the_trial_that_failed(client: Client) -> None:
    client.create_sweep(sweep_of(parallel=1))
    StandIn(client, lambda _: None).advance()
    StandIn(client, lambda _: None).end_queued()
    stand_in = StandIn(client)
    stand_in.advance()
    new = client.retry(client.find_sweep("bowl").entries[0].job)
    save(client)
    lose_redis(client)
    rebuild(client.ledger, client.results)
    assert client.find_sweep("bowl").entries[0].job == new.id
    stand_in.run()
    assert client.find_sweep("bowl").counts == {"succeeded": 3}


def test_a_sweep_that_had_ended_or_was_stopped_stays_in_its_file(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    client.create_sweep(sweep_of("stopped", method="random", **SEARCH)).stop()
    StandIn(client).advance()
    lose_redis(client)
    assert rebuild(client.ledger, client.results).sweeps == []
    assert client.find_sweep("bowl").state == "ended"
    assert client.find_sweep("stopped").state == "stopped"
    assert client.ledger.sweep_names() == []


def test_a_sweep_that_redis_lost_is_noticed_and_its_name_is_not_taken(client: Client) -> None:
    sweep_half_way(client)
    client.create_sweep(sweep_of("over"))
    StandIn(client).run()
    client.create_sweep(sweep_of("other", parallel=1))
    StandIn(client).advance()
    lost = LostSweeps()
    assert lost.find(client.ledger, client.results) == []
    lose_redis(client)
    assert lost.find(client.ledger, client.results) == ["other"]
    assert lost.find(client.ledger, client.results) == ["other"]
    with pytest.raises(JobConflict) as caught:
        client.create_sweep(sweep_of("other", parallel=1))
    assert caught.value.hint == "`quartet rebuild` restores it"


def test_a_sweep_that_redis_lost_says_what_restores_it_and_takes_no_job_for_deleted(client: Client) -> None:
    sweep_half_way(client)
    save(client)
    lose_redis(client)
    sweep = client.find_sweep("bowl")
    assert (sweep.state, sweep.why) == ("running", LOST)
    assert sweep.counts == {"waiting": 4, "succeeded": 8}
    for change in (sweep.stop, sweep.delete, sweep.retry, lambda: sweep.extend("+1")):
        with pytest.raises(JobConflict) as caught:
            change()
        assert caught.value.hint == "`quartet rebuild` restores it"
    rebuild(client.ledger, client.results)
    assert (sweep.refresh().why, sweep.counts) == ("", {"queued": 4, "succeeded": 8})


def test_a_damaged_file_is_named_and_holds_up_no_other(client: Client) -> None:
    sweep_half_way(client)
    broken = sweep_folder(client.results, "broken")
    broken.mkdir()
    (broken / FILE).write_text('{"state": "running"}')
    lose_redis(client)
    done = rebuild(client.ledger, client.results)
    assert done.sweeps == ["bowl"]
    assert done.unreadable == [Path(broken / FILE)]


def test_jobs_of_an_earlier_sweep_of_that_name_are_not_taken_for_its_own(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    record = client.ledger.sweep("bowl")
    assert record is not None
    lose_redis(client)
    (sweep_folder(client.results, "bowl") / FILE).unlink()
    client.create_sweep(sweep_of(parallel=1))
    client.ledger.redis.hset("quartet:sweep:bowl", "created", record.created + 10 * 60_000)
    StandIn(client).advance()
    before = client.find_sweep("bowl").entries
    save(client)
    client.ledger.redis.delete("quartet:sweep:bowl", "quartet:entries:bowl", "quartet:sweeps")
    rebuild(client.ledger, client.results)
    assert client.find_sweep("bowl").entries == before


def test_a_job_of_a_sweep_that_runs_is_not_deleted(client: Client) -> None:
    sweep = client.create_sweep(sweep_of(parallel=1))
    stand_in = StandIn(client)
    stand_in.advance()
    stand_in.end_queued()
    first = sweep.refresh().entries[0].job
    with pytest.raises(JobConflict) as caught:
        client.delete(first)
    assert caught.value.hint == "`quartet sweeps stop bowl` stops it"
    sweep.stop()
    assert client.delete(first) == first
    assert client.find_sweep("bowl").trials[0].state == "gone"
