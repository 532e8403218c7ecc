"""`quartet sweeps`: what it shows of a sweep, and what it does to one."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from rich.cells import cell_len

from jobs.cli.sweep_table import show_sweep, show_sweeps
from jobs.client import Client
from jobs.errors import JobConflict, JobFailed
from jobs.settings import Settings
from jobs.showing.sweep_progress import check_any_succeeded, show_sweep_progress, trial_line
from jobs.store.history import History
from jobs.sweeps.distributions import Distribution
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.sweep_spec import Halving, Median, Then
from tests.cli.program import quartet_here
from tests.sweeps.stand_in_worker import RATES, StandIn, sweep_of
from worker.report.compare_data import page_of_sweep


@pytest.fixture
def run(in_process: Callable[..., Result]) -> Callable[..., Result]:
    """The command line, which succeeds."""

    def invoke(*arguments: str) -> Result:
        done = in_process(*arguments)
        assert done.exception is None, done.exception
        return done

    return invoke


def at_width(monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
    monkeypatch.setattr("jobs.cli.sweep_table.line_width", lambda: width)


def test_a_sweep_is_shown_with_its_points_the_best_first(
    ended: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(monkeypatch, 80)
    sweep = ended.find_sweep("bowl")
    show_sweep(sweep, None, "results/sweeps/bowl", every=False)
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert "sweep   bowl" in lines
    assert "what    autoencoder train grid, digits" in lines
    assert "why     all 6 trials have ended, 2 failed" in lines
    assert "trials  6: 4 succeeded, 2 failed" in lines
    points = [line.split() for line in lines[lines.index("") + 1 :]]
    assert points[0] == ["POINT", "validation_bce", "learning_rate", "STATE", "JOB"]
    assert points[1] == ["1", "0", "±", "0", "(2)", "0.01", "succeeded", sweep.entries[2].job]
    assert points[2][:7] == ["0", "0.009", "±", "0", "(2)", "0.001", "succeeded"]
    assert points[3] == ["2", "0.1", "failed", sweep.entries[4].job]
    assert all(cell_len(line) <= 80 for line in lines)


@pytest.mark.parametrize("width", [40, 60, 80, 120, None])
def test_no_line_is_wider_than_the_terminal(
    ended: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int | None
) -> None:
    at_width(monkeypatch, width)
    ended.create_sweep(
        sweep_of("another-with-a-long-name", method="random", parameters={"learning_rate": RATES}, run_cap=9)
    )
    StandIn(ended).advance()
    show_sweeps(ended.sweeps(), History(ended.results))
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.startswith("SWEEP")
    assert [row.split()[0] for row in rows] == ["another-with-a-long-name", "bowl"]
    assert all(cell_len(row) <= (width or 1_000) for row in [header, *rows])
    if width is None:
        assert "0/9" in rows[0]
        assert "4/6" not in rows[1]
        assert "6/6, 2 failed" in rows[1]
        assert "validation_bce 0: learning_rate 0.01" in rows[1]


def test_a_sweep_says_that_it_waits_for_a_worker_and_of_a_job_which_trial_it_is(
    client: Client, run: Callable[..., Result]
) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).advance()
    text = run("sweeps", "show", "bowl").stdout
    assert "waits   for a worker, which advances it; none is running (`quartet up` starts some)" in text
    job = client.find_sweep("bowl").entries[1].job
    assert "sweep    bowl, trial 1: learning_rate 0.01" in run("show", job).stdout
    listed = json.loads(run("list", "--sweep", "bowl", "--json").stdout)
    assert [each["sweep"] for each in listed] == ["bowl"] * 3
    assert run("list", "--sweep", "bowl-2").stdout.count("autoencoder") == 0


def test_a_sweep_is_stopped_and_extended_and_retried(client: Client, run: Callable[..., Result]) -> None:
    client.create_sweep(sweep_of(method="random", parameters={"learning_rate": RATES}, run_cap=2))
    failing = StandIn(client, lambda _: None)
    failing.run()
    retried = json.loads(run("sweeps", "retry", "bowl", "--json").stdout)
    assert [each["retried_as"] for each in retried] == [
        each.job for each in client.find_sweep("bowl").entries
    ]
    assert run("sweeps", "stop", "bowl").stdout == "bowl stopped\n"
    assert client.find_sweep("bowl").counts == {"cancelled": 2}
    assert run("sweeps", "extend", "bowl", "--run-cap", "+3").stdout == ("bowl running, at most 5 trials\n")
    StandIn(client).run()
    assert client.find_sweep("bowl").counts == {"succeeded": 5}
    assert "trial is left to retry" in run("sweeps", "retry", "bowl").stderr
    summary = json.loads(run("sweeps", "list", "--json").stdout)
    assert [(each["name"], each["state"], each["jobs"]) for each in summary] == [("bowl", "ended", 5)]
    shown = json.loads(run("sweeps", "show", "bowl", "--json").stdout)
    assert (shown["counts"], len(shown["points"]), shown["best"]["state"]) == (
        {"succeeded": 5},
        5,
        "succeeded",
    )


def test_an_unknown_name_is_refused_with_the_nearest_one(client: Client, settings: Settings) -> None:
    client.create_sweep(sweep_of())
    client.ledger.end_sweep("bowl", "ended", "")
    done = quartet_here(settings, "sweeps", "show", "bowls", code=2)
    assert "sweep: expected bowl, got 'bowls'" in done.stderr
    assert "did you mean 'bowl'?" in done.stderr
    done = quartet_here(settings, "sweeps", "stop", "bowl", code=2)
    assert "sweep: expected one that runs, got bowl, which has ended" in done.stderr
    halted = client.create_sweep(sweep_of("halted")).stop()
    with pytest.raises(JobConflict, match="expected one that runs, got halted, which was stopped"):
        halted.stop()


def test_a_sweep_of_another_version_says_so(client: Client, run: Callable[..., Result]) -> None:
    client.create_sweep(sweep_of())
    client.ledger.redis.hset("quartet:sweep:bowl", "spec", '{"name": "bowl", "method": "oracle"}')
    text = run("sweeps", "show", "bowl").stdout
    assert "sweep bowl: expected one that this version can read" in text
    assert "cannot be read" in run("sweeps", "list").stdout


def test_a_sweep_whose_model_is_not_installed_keeps_no_other_from_being_listed(
    ended: Client, run: Callable[..., Result]
) -> None:
    rates = sweep_of().parameters["learning_rate"]
    ended.create_sweep(
        sweep_of("stranger", early_terminate=Halving(min_iter=1), parameters={"learning_rate": rates})
    )
    StandIn(ended).run()
    key = "quartet:sweep:stranger"
    spec = json.loads(ended.ledger.redis.hget(key, "spec")) | {"model": "unheard-of"}
    ended.ledger.redis.hset(key, "spec", json.dumps(spec))
    _, stranger, bowl = run("sweeps", "list").stdout.splitlines()
    assert stranger.split()[:6] == ["stranger", "ended", "unheard-of", "train", "grid", "3/3"]
    assert "validation_bce" not in stranger
    assert "validation_bce 0: learning_rate 0.01" in bowl


def test_each_trial_has_a_line_as_it_ends(ended: Client, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = show_sweep_progress(ended.find_sweep("bowl"))
    check_any_succeeded(sweep)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "trial 0 succeeded: validation_bce 0.009 (learning_rate 0.001, seed 0)"
    assert lines[4] == "trial 4 failed: no luck (learning_rate 0.1, seed 0)"
    assert lines[6] == "bowl ended: all 6 trials have ended, 2 failed"
    assert lines[7].startswith("best: trial 2 succeeded: validation_bce 0 (learning_rate 0.01")


def test_a_sweep_without_any_success_ends_with_exit_code_1(client: Client) -> None:
    client.create_sweep(sweep_of())
    StandIn(client, lambda _: None).run()
    with pytest.raises(JobFailed, match="no trial has succeeded"):
        check_any_succeeded(client.find_sweep("bowl"))


def shown_points(text: str) -> list[str]:
    lines = text.splitlines()
    return [" ".join(line.split()[:-1]) for line in lines[lines.index("") + 1 :]]


def test_a_point_that_lost_seeds_says_of_how_many_and_the_table_and_the_page_mark_another(
    client: Client, run: Callable[..., Result]
) -> None:
    client.create_sweep(sweep_of(seeds=(0, 1, 2)))
    StandIn(client).run()
    best = [each.job for each in client.find_sweep("bowl").trials if each.point["learning_rate"] == 0.01]
    for job in best[:2]:
        client.delete(job)
    sweep = client.find_sweep("bowl")
    found = client.compare(sweep="bowl").best
    record = client.ledger.sweep("bowl")
    assert record is not None
    page = page_of_sweep(client.results, record)
    assert sweep.best is not None
    assert found is not None
    assert page.best is not None
    assert sweep.best.point == {"learning_rate": 0.001}
    assert (found.values["learning_rate"], page.best.values["learning_rate"]) == (0.001, 0.001)
    assert shown_points(run("sweeps", "show", "bowl").stdout) == [
        "POINT validation_bce learning_rate STATE",
        "0 0.009 ± 0 (3) 0.001 succeeded",
        "2 0.09 ± 0 (3) 0.1 succeeded",
        "1 0 (1 of 3) 0.01 2 deleted, 1 succeeded",
    ]
    assert "validation_bce 0.009: learning_rate 0.001" in run("sweeps", "list").stdout


def test_with_halving_epochs_and_what_did_not_get_on_are_shown(
    client: Client, run: Callable[..., Result]
) -> None:
    epochs = Distribution(distribution="constant", values=(4,))
    parameters = {**sweep_of().parameters, "epochs": epochs}
    client.create_sweep(sweep_of(parameters=parameters, early_terminate=Halving(eta=2, min_iter=2)))
    StandIn(client).run()
    text = run("sweeps", "show", "bowl").stdout
    assert shown_points(text) == [
        "POINT validation_bce learning_rate EPOCHS STATE",
        "1 0 0.01 4 succeeded",
        "0 0.009 0.001 2 not promoted",
        "2 0.09 0.1 2 not promoted",
    ]
    sweep = client.find_sweep("bowl")
    assert trial_line(sweep, sweep.trials[1]).startswith("trial 1, 4 epochs, succeeded: validation_bce 0 (")


def test_a_trial_that_was_stopped_early_is_told_from_one_that_a_person_cancelled(
    client: Client, run: Callable[..., Result]
) -> None:
    client.create_sweep(sweep_of(early_terminate=Median()))
    StandIn(client).advance()
    first, second, _ = [each.job for each in client.find_sweep("bowl").entries]
    client.ledger.cancel(first, STOPPED + "worse than the median")
    client.ledger.cancel(second, "a person cancelled it")
    text = run("sweeps", "show", "bowl").stdout
    assert "trials  3 of at most 3: 1 queued, 1 cancelled, 1 stopped early" in text
    assert {line.split(" ", 2)[2] for line in shown_points(text)[1:]} == {
        "stopped early",
        "cancelled",
        "queued",
    }
    line = trial_line(client.find_sweep("bowl"), client.find_sweep("bowl").trials[0])
    assert line == "trial 0 stopped early: worse than the median (learning_rate 0.001)"


def test_many_jobs_that_follow_are_counted(client: Client, run: Callable[..., Result]) -> None:
    client.create_sweep(sweep_of(then=(Then(action="evaluate"),), each=True, seeds=(0, 1)))
    StandIn(client).run()
    assert "follow  6 evaluate jobs: succeeded\n" in run("sweeps", "show", "bowl").stdout


def test_data_that_changed_while_a_sweep_ran_are_told(client: Client, run: Callable[..., Result]) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    assert "warning" not in run("sweeps", "show", "bowl").stdout
    for number, trial in enumerate(client.find_sweep("bowl").trials):
        path = client.results.root / trial.job / "job.json"
        job = json.loads(path.read_text())
        job["data"] = {"digits": {"name": "digits", "sha256": ("ab" if number else "cd") * 32}}
        path.write_text(json.dumps(job))
    text = run("sweeps", "show", "bowl").stdout
    assert "warning  the data changed: digits (abababab) in 2 jobs and digits (cdcdcdcd) in 1 job; " in text


def test_a_sweep_that_redis_lost_is_listed_as_such(client: Client, run: Callable[..., Result]) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).advance()
    client.ledger.redis.flushall()
    said = run("sweeps", "list")
    assert said.stdout.splitlines()[1].split()[:2] == ["bowl", "lost"]
    assert said.stderr == "1 sweep: Redis has lost it; `quartet rebuild` restores it\n"
