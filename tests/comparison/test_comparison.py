"""A comparison: what differs, seeds folded, ranked by the goal, and what makes it doubtful."""

import json

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.comparison.selection_text import selection_of, selection_text
from jobs.errors import InvalidInput, RedisUnreachable, UnknownJob
from jobs.settings import Settings
from jobs.sweeps.distributions import Distribution
from jobs.sweeps.sweep_spec import Halving
from tests.comparison.published import DIGITS, LIBRARIES, evaluated, publish, trained
from tests.support.ended_jobs import forget
from tests.sweeps.stand_in_worker import StandIn, sweep_of
from worker.report.compare_data import page_of_runs, shown_facts


def test_a_default_and_the_same_value_given_do_not_differ(client: Client) -> None:
    trained(client, learning_rate=0.003, batch_size=256)  # the defaults
    trained(client, seed=1, priority="high")
    assert client.compare(last=2).differing == []
    trained(client, learning_rate=0.01)
    assert client.compare(last=3).differing == ["learning_rate"]


def test_seeds_are_folded_to_mean_and_standard_deviation(client: Client) -> None:
    for seed, bce in enumerate((0.1, 0.2, 0.6)):
        trained(client, bce, seed=seed)
    trained(client, 0.5, learning_rate=0.01)
    found = client.compare(last=4)
    first, second = found.groups
    assert repr(found) == "<Comparison: 4 jobs on 2 lines, by validation_bce>"
    assert [run.seed for run in first.runs] == [0, 1, 2]
    assert first.mean("validation_bce") == pytest.approx(0.3)
    assert first.deviation("validation_bce") == pytest.approx(0.26457513)
    assert (second.mean("validation_bce"), second.deviation("validation_bce")) == (0.5, None)


def test_other_data_code_or_libraries_are_not_folded_and_each_is_said_in_a_sentence(client: Client) -> None:
    trained(client, seed=0)
    other = {"digits": DIGITS["digits"] | {"sha256": "ab" * 32}}
    trained(client, seed=1, read=other)
    trained(client, seed=2, code={"checksum": "0123456789"})
    trained(client, seed=3, versions=LIBRARIES | {"keras": "3.16.0"})
    found = client.compare(last=4)
    assert [len(group.runs) for group in found.groups] == [1] * 4
    assert found.best is None  # of other data, a number is another
    assert found.caveats == [
        "These autoencoder train jobs read different data, so their numbers measure different things: digits "
        "(0f0f0f0f) in 3 jobs and digits (abababab) in 1 job.",
        "These autoencoder train jobs were run by different versions of the model's code: 68bcefa2 in 3 jobs "
        "and 01234567 in 1 job.",
        "These autoencoder train jobs used different versions of keras: 3.15.1 in 3 jobs and 3.16.0 in 1 job.",
    ]


def test_equal_jobs_stay_apart(client: Client) -> None:
    for seed in (0, 0, 1):
        trained(client, 0.1, seed=seed)
    assert sorted(len(group.runs) for group in client.compare(last=3).groups) == [1, 2]


@pytest.mark.parametrize(("sort", "first"), [(None, 0.1), ("validation_bce", 0.1), ("score", 0.3)])
def test_the_best_is_first_in_the_direction_that_is_better(
    client: Client, sort: str | None, first: float
) -> None:
    for bce in (0.2, 0.1, 0.3):
        job = client.submit("autoencoder", "train", learning_rate=bce)
        publish(client, job, {"validation_bce": bce, "score": bce})
    found = client.compare(last=3, sort=sort)
    assert found.best is found.groups[0]
    assert found.groups[0].mean("validation_bce") == first


def test_a_diverged_or_an_open_seed_rules_out_that_a_line_is_the_best(client: Client) -> None:
    trained(client, 0.3, learning_rate=0.1)
    trained(client, 0.2, learning_rate=0.2)
    client.submit("autoencoder", "train", learning_rate=0.2, seed=1, epochs=2, data="digits")
    trained(client, 0.1, learning_rate=0.3)
    trained(client, None, learning_rate=0.3, seed=1)
    found = client.compare(last=5)
    assert [group.values["learning_rate"] for group in found.groups] == [0.2, 0.1, 0.3]
    page = page_of_runs(client.results, selection_of(selection_text(found.selection)))
    assert found.best is not None
    assert page.best is not None
    assert (found.best.values["learning_rate"], page.best.values["learning_rate"]) == (0.1, 0.1)
    assert "1 job still to end" in shown_facts(page)["counts"]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_line_that_lost_a_seed_is_the_best_only_where_no_other_is_complete(
    client: Client, state: str
) -> None:
    trained(client, 0.3, learning_rate=0.1)
    trained(client, 0.2, learning_rate=0.2)
    trained(client, None, state=state, learning_rate=0.1, seed=1)
    trained(client, None, state=state, learning_rate=0.2, seed=1)
    runs = [run.id for run in client.compare(last=4).runs]
    assert best_rates(client, runs) == (0.2, 0.2)
    runs += [trained(client, 0.4, learning_rate=0.3)]
    assert best_rates(client, runs) == (0.3, 0.3)
    assert client.compare(last=5).groups[0].values["learning_rate"] == 0.3


def best_rates(client: Client, jobs: list[str]) -> tuple[object, object]:
    """The learning rate of what the table marks as the best, and of what the page does."""
    found = client.compare(*jobs)
    table, page = found.best, page_of_runs(client.results, found.selection).best
    assert table is not None
    assert page is not None
    return table.values["learning_rate"], page.values["learning_rate"]


def test_what_did_not_succeed_comes_below_and_a_damaged_folder_hides_no_other(client: Client) -> None:
    good = trained(client, 0.3)
    failed = trained(client, None, state="failed", error="no luck", epochs=9)
    waiting = client.submit("autoencoder", "train").id
    broken = [trained(client, files={"metrics.json": text}) for text in ("[", '{"a": "b"}')]
    broken += [trained(client, files={"job.json": text}) for text in ("{}", "null", json.dumps({"spec": 3}))]
    found = client.compare(good, failed, waiting, *broken)
    assert [run.id for group in found.groups for run in group.runs] == [good]
    assert [run.state for run in found.others] == ["queued", *["damaged"] * 5, "failed"]
    assert all("json" in (run.error or "") for run in found.others if run.state == "damaged")
    assert {run.id for run in found.others} == {failed, waiting, *broken}


def test_jobs_of_several_kinds_are_compared_by_common_numbers_alone(client: Client) -> None:
    trained(client, 0.2)
    job = client.submit("denoiser", "train", data="digits", epochs=2)
    publish(client, job, {"validation_bce": 0.1, "noisy_psnr_db": 3.0})
    found = client.compare(last=2)
    assert found.metrics == ["validation_bce"]
    assert found.differing[0] == "model"
    assert "noise" not in found.differing  # which only one kind has
    assert "denoiser train (1) and autoencoder train (1)" in found.caveats[0]
    evaluated(client, trained(client), 20.0)
    assert client.compare(last=2).goal is None


def test_evaluations_differ_by_how_their_models_were_trained(client: Client) -> None:
    rates = {0.001: 20.0, 0.002: 30.0}
    for rate, psnr in rates.items():
        for seed in (0, 1):
            evaluated(client, trained(client, learning_rate=rate, seed=seed), psnr + seed)
    found = client.compare(last=99, action="evaluate")
    assert found.differing == ["training.learning_rate"]
    assert [group.mean("psnr_db") for group in found.groups] == [30.5, 20.5]


def test_jobs_are_found_by_reference_tag_model_and_number(client: Client) -> None:
    first, second = trained(client, name="one", tags=("a", "b")), trained(client, tags=("a",))
    client.tag(second, add=["later"])
    ids = {name: {run.id for run in client.compare(tag=name).runs} for name in ("a", "b", "later")}
    assert ids == {"a": {first, second}, "b": {first}, "later": {second}}
    assert [run.id for run in client.compare(first, second, tag=["a", "later"]).runs] == [second]
    assert [run.id for run in client.compare("one", first, first[-8:]).runs] == [first]
    assert [run.id for run in client.compare(last=1).runs] == [second]
    for wrong in (
        {"tag": "z"},
        {"tag": "+"},
        {"last": 0},
        {"model": "denoiser", "last": 3},
        {"sweep": "z"},
        {},
    ):
        with pytest.raises(InvalidInput):
            client.compare(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UnknownJob):
        client.compare(first, "nobody")
    with pytest.raises(
        InvalidInput, match="sort: expected one of validation_bce, baseline_validation_bce, got"
    ):
        client.compare(first, sort="x")


def test_a_trial_that_was_promoted_is_its_latest_job_and_comes_first(client: Client) -> None:
    epochs = Distribution(distribution="constant", values=(4,))
    parameters = {**sweep_of().parameters, "epochs": epochs}
    halving = Halving(eta=2, min_iter=2)
    client.create_sweep(sweep_of(seeds=(0, 1), parameters=parameters, early_terminate=halving))
    StandIn(client).run()
    found, sweep = client.compare(sweep="bowl"), client.find_sweep("bowl")
    assert len(found.runs) == len(sweep.trials)
    assert {run.id for run in found.runs} == {trial.job for trial in sweep.trials}
    assert [group.first.rung for group in found.groups] == [1, 0, 0]
    assert found.differing == ["epochs", "learning_rate"]
    assert found.best is not None
    assert sweep.best is not None
    assert sweep.best.job in [run.id for run in found.best.runs]
    assert [group.first.point for group in found.groups] == [1, 0, 2]


def test_a_deleted_trial_is_gone_and_an_ended_sweep_needs_no_redis(
    client: Client, settings: Settings
) -> None:
    client.create_sweep(sweep_of())
    StandIn(client).run()
    first, *others = [trial.job for trial in client.find_sweep("bowl").trials]
    client.delete(first)
    found = client.compare(sweep="bowl")
    assert [(run.id, run.state, run.error) for run in found.others] == [(first, "gone", "deleted")]
    forget(client, *map(client.job, others))
    nowhere = Client(settings.model_copy(update={"redis_url": None}), redis_is_optional=True)
    assert {run.id for run in nowhere.compare(sweep="bowl").runs} == {first, *others}


def test_without_redis_jobs_with_a_folder_are_compared_and_the_rest_is_refused(
    client: Client, settings: Settings
) -> None:
    ended, waits = trained(client), client.submit("autoencoder", "train").id
    away = Client(settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")}))
    assert [run.id for run in away.compare(ended).runs] == [ended]
    assert away.compare(last=5).without is not None
    with pytest.raises(RedisUnreachable):
        away.compare(ended, waits)
