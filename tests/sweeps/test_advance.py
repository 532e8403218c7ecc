"""A sweep is advanced by the ledger and the folders alone: whoever does it, nothing runs twice."""

import json
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import InvalidInput
from jobs.ledger.sweep_record import SweepRecord, description
from jobs.spec import JobSpec
from jobs.store.results import Results
from jobs.sweeps import advance
from jobs.sweeps.advance import Advancer
from jobs.sweeps.sweep_folder import read_sweep, sweep_folder, write_sweep
from tests.sweeps.stand_in_worker import RATES, StandIn, bowl, sweep_of

TPE = {"parameters": {"learning_rate": RATES}, "run_cap": 14, "parallel": 3}


def test_a_grid_runs_each_point_once_and_says_which_was_best(client: Client) -> None:
    sweep = client.create_sweep(sweep_of(seeds=(0, 1)))
    StandIn(client).run()
    sweep.refresh()
    assert (sweep.state, sweep.why) == ("ended", "all 6 trials have ended")
    assert [each.value for each in sweep.trials] == pytest.approx([0.009, 0.009, 0.0, 0.0, 0.09, 0.09])
    assert sweep.counts == {"succeeded": 6}
    best = sweep.best
    assert best is not None
    assert best.point == {"learning_rate": 0.01}
    jobs = client.jobs(sweep="bowl")
    assert {each.id for each in jobs} == {each.job for each in sweep.entries}
    assert jobs[0].name == "bowl-5"
    assert client.job(jobs[0].id).entry == sweep.entries[5].as_dict()
    assert jobs[0].as_dict()["sweep"] == "bowl"


def test_the_file_of_a_sweep_says_what_redis_says_and_is_read_without_it(
    client: Client, away: Client
) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    record = client.ledger.sweep("bowl")
    assert record is not None
    kept = read_sweep(client.results, "bowl")
    assert kept is not None
    assert kept.as_dict() == record.as_dict()
    found = away.find_sweep("bowl")
    assert [each.value for each in found.trials] == pytest.approx([0.009, 0.0, 0.09])
    assert found.as_dict() == client.find_sweep("bowl").as_dict()
    assert [each.name for each in away.sweeps()] == ["bowl"]


def test_two_that_advance_at_once_submit_nothing_twice(client: Client) -> None:
    client.create_sweep(sweep_of(method="tpe", **TPE))
    one, other = StandIn(client), StandIn(client)
    asked = other.advancer._ask
    turns = iter(range(1_000))

    def late(sweep, ask, began):  # between what one decided and what it does, the other one comes
        if next(turns) % 2 == 0:
            one.advance()
        return asked(sweep, ask, began)

    other.advancer._ask = late  # type: ignore[method-assign]
    other.run()
    sweep = client.find_sweep("bowl")
    assert [each.trial for each in sweep.entries] == list(range(14))
    assert len(client.ledger.ids()) == 14
    assert {each.id for each in client.results.folders()} == {each.job for each in sweep.entries}


def test_a_fault_in_one_sweep_is_stated_and_holds_up_no_other(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.create_sweep(sweep_of("broken", model="unheard-of"))
    client.create_sweep(sweep_of("sound"))
    stand_in = StandIn(client)
    for _ in range(3):
        stand_in.advance()
        stand_in.end_queued()
    assert client.find_sweep("sound").state == "ended"
    broken = client.find_sweep("broken")
    assert broken.state == "running"
    assert broken.why.startswith("it does not go on: model: expected one of autoencoder")
    assert caplog.text.count("sweep broken cannot be advanced") == 1


def test_a_description_of_another_version_is_stated_too(client: Client) -> None:
    client.create_sweep(sweep_of())
    newer = json.loads(description(sweep_of())) | {"method": "oracle"}
    client.ledger.redis.hset("quartet:sweep:bowl", "spec", json.dumps(newer))
    StandIn(client).advance()
    sweep = client.find_sweep("bowl")
    assert "it does not go on: sweep bowl: expected one that this version can read" in sweep.why
    with pytest.raises(InvalidInput):
        _ = sweep.spec


def test_a_fault_that_is_over_is_taken_back(client: Client) -> None:
    client.create_sweep(sweep_of())
    client.ledger.note_sweep("bowl", "it does not go on: no luck")
    StandIn(client).advance()
    assert client.find_sweep("bowl").why == ""


def test_failed_trials_are_no_end_unless_a_number_of_them_is(client: Client) -> None:
    def half(point):
        return None if point["learning_rate"] > 0.05 else bowl(point)

    client.create_sweep(sweep_of())
    StandIn(client, half).run()
    sweep = client.find_sweep("bowl")
    assert sweep.why == "all 3 trials have ended, 1 failed"
    assert sweep.counts == {"succeeded": 2, "failed": 1}
    assert sweep.trials[2].error == "no luck"
    few = client.create_sweep(sweep_of("few", max_failures=2, parallel=1))
    StandIn(client, lambda _: None).run()
    few.refresh()
    assert (few.why, len(few.entries)) == ("2 trials failed, and max_failures is 2", 2)


def test_failed_trials_that_are_retried_count_as_what_they_come_to(client: Client) -> None:
    client.create_sweep(sweep_of(then=[{"action": "evaluate"}]))
    StandIn(client, lambda point: None if point["learning_rate"] == 0.01 else bowl(point)).run()
    sweep = client.find_sweep("bowl")
    assert sweep.best is not None
    assert sweep.best.trial == 0
    [new] = sweep.retry()
    assert sweep.refresh().state == "running"
    StandIn(client).run()
    sweep.refresh()
    assert sweep.state == "ended"
    assert (sweep.best.trial, sweep.best.job, sweep.best.value) == (1, new.id, 0.0)
    assert [each.trial for each in sweep.following] == [0, 1]  # the best so far, and the best then
    assert client.job(sweep.following[1].job).spec.source == new.id


def test_a_sweep_that_is_stopped_asks_for_nothing_more_and_goes_on_when_asked_again(client: Client) -> None:
    sweep = client.create_sweep(sweep_of(parallel=2))
    stand_in = StandIn(client)
    stand_in.advance()
    running = stand_in.claim(sweep.refresh().entries[0].job)
    sweep.stop()
    queued = sweep.entries[1].job
    assert client.job(queued).error == "its sweep was stopped"
    assert client.ledger.renew(running) == "cancel"
    stand_in.advance()
    assert (sweep.refresh().state, len(sweep.entries)) == ("stopped", 2)
    client.ledger.finish(running, "cancelled", finished=client.ledger.now(), error="its sweep was stopped")
    again = client.create_sweep(sweep_of(parallel=2))
    assert again.state == "running"
    stand_in.run()
    assert again.refresh().counts == {"succeeded": 3}


def test_what_runs_may_be_left_to_end_when_a_sweep_is_stopped(client: Client) -> None:
    sweep = client.create_sweep(sweep_of(parallel=2))
    stand_in = StandIn(client)
    stand_in.advance()
    sweep.refresh().stop(keep_running=True)
    stand_in.end_queued()
    stand_in.advance()
    assert (sweep.refresh().state, sweep.counts) == ("stopped", {"succeeded": 2})


def test_a_sweep_that_is_asked_for_again_with_more_values_runs_only_what_is_new(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    before = client.find_sweep("bowl").entries
    more = {"learning_rate": {"distribution": "categorical", "values": (0.02, 0.1, 0.001, 0.01)}}
    parameters = sweep_of().parameters | more
    sweep = client.create_sweep(sweep_of(parameters=parameters))
    StandIn(client).run()
    assert sweep.refresh().entries[:3] == before
    assert [each.point for each in sweep.entries[3:]] == [{"learning_rate": 0.02}]


def test_the_same_description_asked_for_again_runs_nothing(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    before = client.ledger.sweep("bowl")
    assert client.create_sweep(sweep_of()).state == "ended"
    assert client.ledger.sweep("bowl") == before


def test_another_sweep_may_not_have_the_name(client: Client) -> None:
    client.create_sweep(sweep_of())
    with pytest.raises(InvalidInput) as caught:
        client.create_sweep(sweep_of(data="mnist"))
    assert str(caught.value) == "name: expected a name that no sweep with other data has, got 'bowl'"


def test_a_sweep_is_extended_by_trials_even_when_redis_has_forgotten_it(client: Client) -> None:
    client.create_sweep(sweep_of(method="random", **TPE))
    StandIn(client).run()
    assert client.ledger.forget_sweep("bowl", -1)
    sweep = client.find_sweep("bowl").extend("+3")
    assert sweep.spec.run_cap == 17
    StandIn(client).run()
    assert len(sweep.refresh().entries) == 17
    with pytest.raises(InvalidInput, match="run_cap: expected"):
        sweep.extend(17)


def test_a_running_trial_tells_each_of_its_epochs(client: Client) -> None:
    sweep = client.create_sweep(sweep_of(parallel=1))
    stand_in = StandIn(client)
    stand_in.advance()
    claim = stand_in.claim(sweep.refresh().entries[0].job)
    for epoch in (1, 2, 3):
        client.ledger.progress(claim, {"epoch": epoch, "epochs": 9, "validation_loss": 1 / epoch})
    client.ledger.progress(claim, {"stage": "another network", "epoch": 5, "validation_loss": 9.0})
    client.ledger.progress(claim, {"epoch": 3, "step": 4, "validation_loss": 1 / 3})
    outcome = sweep.refresh().outcomes[claim.job_id]
    assert outcome.history == {1: 1.0, 2: 0.5, 3: 1 / 3}
    client.ledger.redis.xtrim(f"quartet:progress:{claim.job_id}", 0)  # Redis keeps few of them
    client.ledger.progress(claim, {"epoch": 4, "validation_loss": 0.25})
    assert sweep.refresh().outcomes[claim.job_id].history == {1: 1.0, 2: 0.5, 3: 1 / 3, 4: 0.25}


def test_a_folder_that_is_gone_stops_a_sweep_rather_than_count_as_a_trial_that_is(
    client: Client, tmp_path: Path
) -> None:
    sweep = client.create_sweep(sweep_of(parallel=1))
    stand_in = StandIn(client)
    stand_in.advance()
    stand_in.end_queued()
    first = sweep.refresh().entries[0].job
    (client.results.root / first).rename(tmp_path / "elsewhere")
    stand_in.advance()
    assert "is not there, though the job has published it" in sweep.refresh().why
    assert len(sweep.entries) == 1
    (tmp_path / "elsewhere").rename(client.results.root / first)
    stand_in.run()
    assert sweep.refresh().state == "ended"


def test_a_sweep_whose_trials_all_equal_jobs_that_succeeded_ends_at_once(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    done = {each.point["learning_rate"]: each.job for each in client.find_sweep("bowl").trials}
    client.create_sweep(sweep_of("again"))

    def find_equal(spec: JobSpec) -> str:
        return done[spec.parameters.model_dump()["learning_rate"]]

    Advancer(client.ledger, client.results, find_equal).advance_all()
    sweep = client.find_sweep("again")
    assert sweep.why == "all 3 trials have ended"
    assert [(each.reused, each.job) for each in sweep.trials] == [(True, job) for job in done.values()]
    assert len(client.ledger.ids()) == 3
    client.create_sweep(sweep_of("fresh", fresh=True))
    Advancer(client.ledger, client.results, find_equal).advance_all()
    assert len(client.ledger.ids("queued")) == 3


@pytest.mark.parametrize("begun_again", [False, True])
@pytest.mark.parametrize("moment", ["before it is decided", "before its file is written", "after that"])
def test_a_sweep_that_is_deleted_while_it_is_advanced_stays_gone(
    client: Client, monkeypatch: pytest.MonkeyPatch, moment: str, begun_again: bool
) -> None:
    client.create_sweep(sweep_of())
    person, read = Client(client.settings), client.ledger.sweep
    moments = ["before it is decided", "before its file is written", "after that"]

    def delete_at(now: str) -> None:
        moments.remove(now)
        if now == moment:
            person.find_sweep("bowl").stop().delete()
            if begun_again:
                person.create_sweep(sweep_of(seeds=(7,)))

    def read_and_delete(name: str) -> SweepRecord | None:
        record = read(name)
        if moments:
            delete_at(moments[0])
        return record

    def write_and_delete(results: Results, record: SweepRecord) -> None:
        write_sweep(results, record)
        delete_at("after that")

    with monkeypatch.context() as patch:
        patch.setattr(client.ledger, "sweep", read_and_delete)
        patch.setattr(advance, "write_sweep", write_and_delete)
        StandIn(client).advance()
    if begun_again:
        StandIn(client).run()
        found, kept = client.ledger.sweep("bowl"), read_sweep(client.results, "bowl")
        assert found is not None
        assert kept is not None
        assert (found.state, found.as_dict()) == ("ended", kept.as_dict())
        assert {entry.seed for entry in found.entries} == {7}
    else:
        assert client.ledger.redis.keys("quartet:*bowl*") == []
        assert not sweep_folder(client.results, "bowl").exists()


@pytest.mark.parametrize("change", ["extended", "a trial is retried", "begun anew"])
def test_a_sweep_that_changes_while_its_end_is_decided_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    client.create_sweep(sweep_of(method="random", parameters={"learning_rate": RATES}, run_cap=2))
    stand_in = StandIn(client, lambda _: None)
    stand_in.advance()
    stand_in.end_queued()
    person, read = Client(client.settings), client.ledger.sweep

    def read_and_change(name: str) -> SweepRecord | None:
        record = read(name)
        monkeypatch.undo()
        sweep = person.find_sweep(name)
        if change == "extended":
            sweep.extend("+1")
        elif change == "a trial is retried":
            person.retry(sweep.entries[0].job)
        else:
            sweep.stop().delete()
            person.create_sweep(sweep_of())
        return record

    monkeypatch.setattr(client.ledger, "sweep", read_and_change)
    stand_in.advance()
    assert client.find_sweep("bowl").state == "running"
    StandIn(client).run()
    assert client.find_sweep("bowl").counts["succeeded"] == {"begun anew": 3}.get(change, 1)
