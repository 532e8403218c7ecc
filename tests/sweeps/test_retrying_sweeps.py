"""`retry` of a sweep: what failed, was stopped with it or was deleted runs again, and the sweep goes on."""

import asyncio
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import InvalidInput, InvalidSweep, JobConflict
from jobs.sweeps.sweep import Sweep
from jobs.sweeps.sweep_folder import sweep_folder
from jobs.sweeps.sweep_spec import Then
from tests.sweeps.stand_in_worker import RATES, StandIn, sweep_of

THEN = (Then(action="evaluate"),)


@pytest.fixture
def watched(client: Client, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A worker that advances the sweeps after each change, as the quickest one does."""
    stand_in = StandIn(client)
    advancing: list[bool] = []

    def advances(real: Any) -> Any:
        def change(*given: Any, **named: Any) -> Any:
            answer = real(*given, **named)
            if not advancing:
                advancing.append(True)
                stand_in.advance()
                advancing.clear()
            return answer

        return change

    for name in ("submit", "put_sweep", "submit_trial"):
        monkeypatch.setattr(client.ledger, name, advances(getattr(client.ledger, name)))
    return stand_in


def failed(client: Client, stand_in: StandIn, **fields: Any) -> None:
    """A sweep has ended, and all its trials failed."""
    value, stand_in.value = stand_in.value, lambda _: None
    client.create_sweep(sweep_of(**fields))
    stand_in.run()
    stand_in.value = value


def test_a_sweep_whose_trials_all_failed_goes_on_to_what_follows_the_best(
    client: Client, watched: StandIn
) -> None:
    failed(client, watched, then=THEN)
    sweep = client.find_sweep("bowl")
    assert (sweep.state, sweep.why) == ("ended", "all 3 trials have ended, 3 failed")
    assert len(sweep.retry()) == 3
    assert sweep.refresh().state == "running"
    watched.run()
    assert sweep.refresh().why == "all 3 trials have ended"
    assert [each.state for each in sweep.following] == ["succeeded"]


def test_a_retried_job_of_an_ended_sweep_lets_it_go_on_too(client: Client, watched: StandIn) -> None:
    failed(client, watched, then=THEN)
    sweep = client.find_sweep("bowl")
    client.retry(sweep.entries[1].job)
    assert sweep.refresh().state == "running"
    watched.run()
    assert sweep.refresh().why == "all 3 trials have ended, 2 failed"
    assert [each.trial for each in sweep.following] == [1]


def test_a_sweep_that_ended_by_its_failures_asks_for_the_rest(client: Client, watched: StandIn) -> None:
    failed(client, watched, max_failures=1, parallel=2)
    sweep = client.find_sweep("bowl")
    assert "max_failures is 1" in sweep.why
    assert len(sweep.entries) == 2
    sweep.retry()
    watched.run()
    assert (sweep.refresh().why, sweep.counts) == ("all 3 trials have ended", {"succeeded": 3})


@pytest.mark.parametrize("by", ["retry", "asking again"])
def test_a_stopped_sweep_goes_on_once_all_its_trials_are_queued(
    client: Client, watched: StandIn, by: str
) -> None:
    sweep = client.create_sweep(sweep_of(then=THEN))
    watched.advance()
    sweep.stop()
    watched.advance()
    if by == "retry":
        assert len(sweep.retry()) == 3
    else:
        client.create_sweep(sweep_of(then=THEN))
    assert (sweep.refresh().state, sweep.counts) == ("running", {"queued": 3})
    watched.run()
    assert sweep.refresh().counts == {"succeeded": 3}
    assert [each.trial for each in sweep.following] == [1]


def test_a_retried_job_lets_a_stopped_sweep_be(client: Client) -> None:
    sweep = client.create_sweep(sweep_of())
    StandIn(client).advance()
    new = client.retry(sweep.stop().entries[0].job)
    assert (sweep.refresh().state, sweep.entries[0].job) == ("stopped", new.id)


def test_deleted_trials_of_an_ended_sweep_run_again_in_their_places(client: Client, watched: StandIn) -> None:
    client.create_sweep(sweep_of(then=THEN))
    watched.run()
    sweep = client.find_sweep("bowl")
    before, follower = sweep.entries, sweep.following[0]
    gone = [sweep.entries[0].job, follower.job]
    for job in gone:
        client.delete(job)
    assert sweep.counts == {"succeeded": 3}  # as it was at the last look
    new = sweep.retry()
    assert {each.job for each in sweep.entries} == {e.job for e in before} - set(gone) | {e.id for e in new}
    assert [(e.key, e.point, e.seed) for e in sweep.entries] == [(e.key, e.point, e.seed) for e in before]
    watched.run()
    assert (sweep.refresh().state, sweep.counts) == ("ended", {"succeeded": 3})
    assert [(each.state, each.trial) for each in sweep.following] == [("succeeded", follower.trial)]
    assert sweep.retry() == []
    assert sweep.refresh().state == "ended"


def test_a_deleted_point_of_a_search_keeps_its_values(client: Client) -> None:
    stand_in = StandIn(client)
    sweep = client.create_sweep(sweep_of(method="tpe", parameters={"learning_rate": RATES}, run_cap=4))
    stand_in.run()
    points = [each.point for each in sweep.refresh().entries]
    for entry in sweep.entries[1:3]:
        client.delete(entry.job)
    assert len(sweep.retry()) == 2
    stand_in.run()
    assert [each.point for each in sweep.refresh().entries] == points
    assert sweep.counts == {"succeeded": 4}


@pytest.mark.parametrize("lost", ["Redis", "its sweep"])
def test_a_retried_job_counts_for_a_sweep_that_redis_no_longer_knows(client: Client, lost: str) -> None:
    stand_in = StandIn(client)
    failed(client, stand_in)
    stand_in.advance()  # which writes the sweep's file
    if lost == "Redis":
        client.ledger.redis.flushall()
    else:
        client.ledger.forget_sweep("bowl", -1)
    assert client.ledger.sweep_names() == []
    new = client.retry(client.find_sweep("bowl").entries[2].job)
    sweep = client.find_sweep("bowl")
    assert (sweep.state, sweep.entries[2].job) == ("running", new.id)
    stand_in.run()
    assert sweep.refresh().counts == {"succeeded": 1, "failed": 2}


def test_a_retried_job_whose_place_another_one_took_says_nothing_of_a_sweep(client: Client) -> None:
    stand_in = StandIn(client)
    failed(client, stand_in)
    first = client.find_sweep("bowl").entries[0].job
    second = client.retry(first)
    client.cancel(second.id)
    third = client.retry(first)
    assert third.sweep is None
    assert client.find_sweep("bowl").entries[0].job == second.id


def test_a_deleted_sweep_is_gone_its_jobs_are_not_and_its_name_is_free(client: Client) -> None:
    stand_in = StandIn(client)
    sweep = client.create_sweep(sweep_of())
    with pytest.raises(JobConflict, match="sweep: expected one that does not run, got bowl"):
        sweep.delete()
    failed(client, stand_in)
    stand_in.advance()
    folder, job = sweep_folder(client.results, "bowl"), sweep.refresh().entries[0].job
    assert folder.is_dir()
    sweep.delete()
    assert not folder.exists()
    with pytest.raises(InvalidInput):
        client.find_sweep("bowl")
    retried = client.retry(job)
    assert retried.sweep is None
    client.cancel(retried.id)
    client.create_sweep(sweep_of(parameters=sweep_of().parameters, seeds=(4, 5)))
    stand_in.run()
    assert len(client.find_sweep("bowl").entries) == 6


def test_the_sweeps_that_count_on_a_job_are_known(client: Client) -> None:
    stand_in = StandIn(client)
    sweep = client.create_sweep(sweep_of())
    stand_in.run()
    stand_in.advance()
    client.ledger.forget_sweep("bowl", -1)  # it is read from its file
    job = sweep.refresh().entries[0].job
    other = client.submit("autoencoder", "train", data="digits", seed=9)
    assert client.sweeps_with([job, other.id]) == {job: ["bowl"]}


@pytest.mark.parametrize("given", [None, ["learning_rate"], "learning_rate"])
def test_parameters_that_are_no_mapping_are_refused_in_a_sentence(client: Client, given: Any) -> None:
    with pytest.raises(InvalidSweep, match="parameters: expected a mapping of each parameter's name"):
        client.sweep("autoencoder", data="digits", parameters=given)


def test_a_sweep_can_be_awaited(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.sweeps.followed_sweep.LOOK_SECONDS", 0.01)
    stand_in = StandIn(client)
    sweep = client.create_sweep(sweep_of())

    async def wait() -> tuple[Sweep, None]:
        async def work() -> None:
            await asyncio.to_thread(stand_in.run)

        return await asyncio.gather(sweep, work())

    [awaited, _] = asyncio.run(wait())
    assert awaited is sweep
    assert (sweep.state, sweep.counts) == ("ended", {"succeeded": 3})


def test_an_unknown_name_among_many_is_answered_with_the_nearest_and_how_many_more(client: Client) -> None:
    for number in range(23):
        client.ledger.put_sweep(sweep_of(f"sweep-{number}"))
    with pytest.raises(InvalidInput) as caught:
        client.find_sweep("sweep-222")
    assert caught.value.expected.startswith("one of sweep-22, sweep-2")
    assert caught.value.expected.endswith("or one of 3 more that `quartet sweeps list --all` names")
