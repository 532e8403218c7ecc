"""Which jobs a sweep would reuse is found out by its own decisions, and what is left to run is estimated."""

from pathlib import Path

import pytest

from jobs.spec import JobSpec
from jobs.store.results import Results
from jobs.sweeps import rehearsal
from jobs.sweeps.distributions import Point
from jobs.sweeps.entry import Outcome
from jobs.sweeps.preview import SweepPreview, preview
from jobs.sweeps.rehearsal import Rehearsal, rehearse
from jobs.sweeps.sweep_spec import SweepSpec
from tests.sweeps.describing import sweep
from tests.sweeps.simulated import Simulation
from tests.sweeps.test_preview import TableOfPaces

RATES = {"values": [each / 1_000 for each in range(1, 10)]}
HALVING = {
    "method": "grid",
    "run_cap": None,
    "parameters": {"epochs": {"value": 9}, "learning_rate": RATES},
    "early_terminate": {"type": "halving", "eta": 3},
    "then": ["evaluate"],
}


def by_rate(point: Point, _seed: int, _epoch: int) -> float:
    return float(point["learning_rate"])


class Done:
    """The jobs of sweeps that have ended, under ids as jobs have them."""

    def __init__(self, run: Simulation) -> None:
        self.ids = {each.job: f"20261127-071500-{number:03}-aaaa" for number, each in enumerate(run.entries)}
        epochs = {each.job: each.epochs for each in run.entries}
        sources = {(each.trial, each.rung): each.job for each in run.entries if each.then is None}
        self.outcomes = {self.ids[job]: outcome for job, outcome in run.outcomes.items()}
        self.equal = {}
        for each in run.entries:
            source = None if each.then is None else self.ids[sources[each.trial, each.rung]]
            rate = None if source else each.point["learning_rate"]
            self.equal[source, rate, None if source else epochs[each.job] or 9] = self.ids[each.job]

    def find(self, spec: JobSpec) -> str | None:
        given = spec.parameters.model_dump()
        if spec.source is not None:
            return self.equal.get((spec.source, None, None))
        return self.equal.get((None, given["learning_rate"], given["epochs"]))

    def look(self, ids: list[str]) -> dict[str, Outcome]:
        return {each: self.outcomes[each] for each in ids}


@pytest.fixture
def told(tmp_path: Path):  # type: ignore[no-untyped-def] # pytest's
    def tell(spec: SweepSpec, found: Rehearsal) -> SweepPreview:
        return preview(spec, TableOfPaces(Results(tmp_path)), found)

    return tell


def test_only_what_is_not_reused_is_estimated(told) -> None:  # type: ignore[no-untyped-def]
    spec = sweep(method="grid", run_cap=None, seeds=2, then=["evaluate"])

    def find_equal(job: JobSpec) -> str | None:
        return "old" if job.parameters.model_dump()["units"] == 64 else None

    found = rehearse(spec, find_equal, lambda ids: dict.fromkeys(ids, Outcome("succeeded", 1.0)))
    assert [(each.point["units"], each.reused) for each in found.entries] == [
        (64, True), (64, True), (128, False), (128, False),
    ]  # fmt: skip
    assert (told(spec, found).reused, told(spec, found).seconds) == (2, 2 * 180 + 60)
    assert rehearse(spec.model_copy(update={"fresh": True}), find_equal, dict).reused == 0


@pytest.mark.parametrize("each", [False, True])
def test_a_sweep_like_one_that_ended_reuses_its_promotions_and_what_follows(told, each: bool) -> None:  # type: ignore[no-untyped-def]
    spec = sweep(**{**HALVING, "then": {"each": ["evaluate"]} if each else ["evaluate"]})
    run = Simulation(spec, by_rate, 1).run()
    done = Done(run)
    found = rehearse(spec, done.find, done.look)
    assert found.reused == len(run.entries)
    assert told(spec, found).seconds == 0


def test_of_halving_what_was_trained_already_is_left_out(told) -> None:  # type: ignore[no-untyped-def]
    """Nine points train an epoch each, and that is there; three go on to 3 epochs, and one to 9."""
    spec = sweep(**HALVING)
    done = Done(Simulation(spec, by_rate, 1).run())
    done.equal = {key: job for key, job in done.equal.items() if key[2] == 1}
    found = rehearse(spec, done.find, done.look)
    assert found.reused == 9
    assert told(spec, found).seconds == pytest.approx(10 * (3 * 2 + 1 * 6) + 60)


def test_of_a_sweep_that_goes_on_only_what_is_new_is_left(told) -> None:  # type: ignore[no-untyped-def]
    rates = {"epochs": {"value": 9}, "learning_rate": {"min": 0.001, "max": 0.01}}
    before = sweep(parameters=rates, run_cap=4)
    run = Simulation(before, by_rate, 1).run()
    after = before.model_copy(update={"run_cap": 6})
    for spec, new in ((before, 0), (after, 2)):
        found = rehearse(spec, lambda _: None, dict, run.entries, run.outcomes)
        assert (found.reused, told(spec, found).seconds) == (0, new * 90)


def test_without_what_a_search_needs_the_first_points_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(*_: object, **__: object) -> list[object]:
        raise ImportError("optuna")

    monkeypatch.setattr(rehearsal, "decide", decide)
    assert rehearse(sweep(), lambda _: "old", dict) == Rehearsal([], {}, 0)
