"""What a dry run tells: the points that are known, how many jobs at most, and how long they may take."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.store.results import Results
from jobs.sweeps.estimate import Paces
from jobs.sweeps.preview import PlainPreview, plain_preview, preview
from tests.support.report_folders import job_record, write_folder
from tests.sweeps.describing import MODEL, plain_job, sweep
from tests.sweeps.simulated import Simulation

FOUND = "20261127-071501-000-aaaa"


class TableOfPaces(Paces):
    """Ten seconds an epoch, twice as much with 128 units; a minute for anything else."""

    def seconds(self, _model: str, action: str, _data: str | None, parameters: Any) -> float | None:
        self.used.add(f"{action} {parameters.get('units')}")
        if action != "train":
            return 60.0
        return float(10 * parameters["epochs"] * (2 if parameters.get("units") == 128 else 1))


@pytest.fixture
def paces(tmp_path: Path) -> TableOfPaces:
    return TableOfPaces(Results(tmp_path))


def test_a_grid_has_all_its_points_and_their_mean_time(paces: TableOfPaces) -> None:
    found = preview(sweep(method="grid", run_cap=None, seeds=2, then=["evaluate"]), paces)
    assert found.points == [{"units": 64}, {"units": 128}]
    assert (found.point_count, found.trials, found.jobs) == (2, 4, 5)
    assert found.seconds == 2 * 90 + 2 * 180 + 60
    assert found.finished == 3
    assert json.loads(json.dumps(found.as_dict()))["points"] == found.points


def test_what_follows_each_trial_is_counted_for_each(paces: TableOfPaces) -> None:
    found = preview(
        sweep(method="grid", run_cap=None, seeds=2, then={"each": ["evaluate", "generate"]}), paces
    )
    assert found.jobs == 4 + 8
    assert found.seconds == 2 * 90 + 2 * 180 + 8 * 60


def test_halving_counts_promotions_and_the_epochs_that_are_trained(paces: TableOfPaces) -> None:
    parameters = {"epochs": {"value": 9}, "learning_rate": {"min": 0.001, "max": 0.01}}
    found = preview(sweep(parameters=parameters, run_cap=9, early_terminate={"type": "halving"}), paces)
    assert found.rungs == [1, 3, 9]
    assert (found.fewest_jobs, found.jobs) == (9 + 3 + 1, 9 + 7 + 5)
    assert found.seconds == pytest.approx(10 * (9 * 1 + 3 * 2 + 1 * 6))


@pytest.mark.parametrize("then", [["evaluate"], {"each": ["evaluate"]}])
@pytest.mark.parametrize("epochs", [{"value": 9}, {"values": [3, 9]}])
@pytest.mark.parametrize("sign", [1, -1])
def test_halving_never_runs_more_or_fewer_jobs_than_was_told(
    paces: TableOfPaces, then: Any, epochs: dict[str, Any], sign: int
) -> None:
    """Results that get better and better make it promote the most, worse ones the fewest."""
    rates = {"values": [each / 1_000 for each in range(1, 10)]}
    halving = {"type": "halving", "eta": 3}
    parameters = {"epochs": epochs, "learning_rate": rates}
    spec = sweep(
        method="grid", run_cap=None, seeds=2, parameters=parameters, early_terminate=halving, then=then
    )
    run = Simulation(spec, lambda point, _seed, _epoch: sign * float(point["learning_rate"]), 1).run()
    found = preview(spec, paces)
    assert found.fewest_jobs <= len(run.entries) <= found.jobs


def test_a_search_has_its_first_points_alone(paces: TableOfPaces) -> None:
    parameters = {"epochs": {"value": 1}, "learning_rate": {"min": 0.001, "max": 0.01}}
    found = preview(sweep(method="tpe", run_cap=40, parameters=parameters), paces)
    assert found.points is not None
    assert 0 < len(found.points) < found.point_count == 40


def test_a_plain_job_takes_as_long_as_it_and_those_that_follow(paces: TableOfPaces) -> None:
    job = plain_job(model=MODEL, parameters={"epochs": 3}, then=["evaluate", "generate"])
    assert plain_preview(job, paces) == PlainPreview(0, 150)


def test_of_a_plain_job_that_is_reused_what_follows_may_be_reused_too(paces: TableOfPaces) -> None:
    job = plain_job(model=MODEL, parameters={"epochs": 3}, then=["evaluate", "generate"])
    there = {("train", None): FOUND, ("evaluate", FOUND): "other"}
    found = plain_preview(job, paces, lambda spec: there.get((spec.action, spec.source)))
    assert found == PlainPreview(2, 60)
    fresh = plain_job(model=MODEL, parameters={"epochs": 3}, fresh=True)
    assert plain_preview(fresh, paces, lambda _: FOUND) == PlainPreview(0, 30)


def job(results: Path, number: int, action: str = "train", **changes: Any) -> None:
    """The folder of a finished job of two epochs that took 20 seconds, with some changes."""
    spec = {"model": MODEL, "action": action, "parameters": {"epochs": 2, "units": 64}, "data": "pydoc"}
    spec |= {name: changes.pop(name) for name in ("parameters", "data", "from") if name in changes}
    job_id = f"20261127-0715{number:02d}-000-aaaa"
    write_folder(results, job_record(spec, job_id=job_id, **{"seconds": 20.0, **changes}))


def test_an_estimate_comes_from_the_finished_jobs_that_are_most_alike(tmp_path: Path) -> None:
    job(tmp_path, 1)
    job(tmp_path, 2, parameters={"epochs": 4, "units": 64}, seconds=44.0)
    job(tmp_path, 3, parameters={"epochs": 1, "units": 512}, seconds=300.0)
    job(tmp_path, 4, data="shakespeare", seconds=999.0)
    job(tmp_path, 5, state="failed", seconds=1.0)
    job(tmp_path, 6, continues="20261127-071501-000-aaaa", seconds=1.0)
    job(tmp_path, 7, attempt=2, seconds=1.0)
    job(
        tmp_path, 8, "evaluate", parameters={}, data=None, seconds=5.0, **{"from": "20261127-071501-000-aaaa"}
    )
    paces = Paces(Results(tmp_path))
    assert paces.seconds(MODEL, "train", "pydoc", {"epochs": 10, "units": 64}) == pytest.approx(105)
    assert {job_id[:15] for job_id in paces.used} == {"20261127-071501", "20261127-071502"}
    assert paces.seconds(MODEL, "train", "pydoc", {"epochs": 1, "units": 512}) == 300
    assert paces.seconds(MODEL, "train", None, {"epochs": 1}) == pytest.approx(999 / 2)
    assert paces.seconds(MODEL, "train", "/some/text.txt", {"epochs": 1}) is None
    assert paces.seconds(MODEL, "evaluate", None, {}) == 5
    assert paces.seconds(MODEL, "generate", None, {}) is None


def test_without_results_nothing_is_known(tmp_path: Path) -> None:
    assert Paces(Results(tmp_path / "none")).seconds(MODEL, "train", "pydoc", {}) is None
