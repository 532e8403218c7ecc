"""Where a data file changes while its sweep runs, all say the same: none of its trials is the best."""

import pytest

from jobs.cli.sweep_table import show_sweeps
from jobs.client import Client
from jobs.store.history import History
from jobs.sweeps.data_read import NONE_IS_BEST
from jobs.sweeps.sweep import Sweep
from jobs.sweeps.sweep_spec import Then
from tests.sweeps.stand_in_worker import StandIn, sweep_of

THEN = (Then(action="evaluate"),)


def read(sha256: str) -> dict[str, object]:
    return {"digits": {"name": "digits", "sha256": sha256 * 32}}


def sweep_with_changed_data(client: Client, **fields: object) -> tuple[Sweep, StandIn]:
    """The first of three trials read other data."""
    client.create_sweep(sweep_of(parallel=1, then=THEN, **fields))
    stand_in = StandIn(client)
    stand_in.data = read("ab")
    stand_in.advance()
    stand_in.end_queued()
    stand_in.data = read("cd")
    stand_in.run()
    return client.find_sweep("bowl"), stand_in


def test_none_is_the_best_and_nothing_follows_it(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, _ = sweep_with_changed_data(client)
    assert sweep.why == f"all 3 trials have ended; {NONE_IS_BEST}"
    assert sweep.warning is not None
    assert sweep.as_dict()["warning"].startswith("the data changed: digits (cdcdcdcd) in 2 jobs and ")
    assert (sweep.best, sweep.following) == (None, [])
    assert client.compare(sweep="bowl").best is None
    show_sweeps([sweep], History(client.results))
    assert "learning_rate" not in capsys.readouterr().out


def test_once_the_trials_that_read_the_old_data_ran_again_there_is_a_best_which_is_followed(
    client: Client,
) -> None:
    sweep, stand_in = sweep_with_changed_data(client)
    client.delete(sweep.trials[0].job)
    assert len(sweep.retry()) == 1
    stand_in.run()
    sweep.refresh()
    assert sweep.why == "all 3 trials have ended"
    assert sweep.best is not None
    assert [each.state for each in sweep.following] == ["succeeded"]
    best = client.compare(sweep="bowl").best
    assert best is not None
    assert best.first.id == sweep.best.job


def test_what_follows_each_trial_has_nothing_to_do_with_the_best(client: Client) -> None:
    sweep, _ = sweep_with_changed_data(client, each=True)
    assert sweep.why.endswith(NONE_IS_BEST)
    assert len(sweep.following) == 3


def test_a_sweep_that_failures_ended_says_so_too(client: Client) -> None:
    values = iter([1.0, 2.0, None])
    client.create_sweep(sweep_of(parallel=1, max_failures=1))
    stand_in = StandIn(client, lambda _: next(values))
    for sha256 in ("ab", "cd", "cd"):
        stand_in.data = read(sha256)
        stand_in.advance()
        stand_in.end_queued()
    stand_in.run()
    assert client.find_sweep("bowl").why == f"1 trial failed, and max_failures is 1; {NONE_IS_BEST}"
