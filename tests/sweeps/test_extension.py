"""Which descriptions add to a sweep that is there already, and which are of another one."""

from typing import Any

import pytest

from jobs.errors import InvalidInput, JobConflict
from jobs.sweeps.extension import check_extension, extended
from tests.sweeps.describing import sweep

GRID: dict[str, Any] = {
    "method": "grid",
    "run_cap": None,
    "parameters": {"epochs": 2, "units": {"values": [32, 64]}, "batch_size": {"values": [8, 16]}},
}


def test_parameters_in_another_order_are_the_same_sweep() -> None:
    before = sweep(**GRID)
    reordered = dict(reversed(GRID["parameters"].items()))
    check_extension(before, sweep(**{**GRID, "parameters": reordered}))
    check_extension(
        before, sweep(**{**GRID, "parameters": {**reordered, "units": {"values": [128, 64, 32]}}})
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": 2}, "other seeds"),
        ({"data": "shakespeare"}, "other data"),
        ({"seed": 3}, "another seed"),
        ({"parameters": {**GRID["parameters"], "epochs": 3}}, "other parameters"),
        ({"parameters": {**GRID["parameters"], "units": {"values": [32, 128]}}}, "other parameters"),
        ({"method": "random", "run_cap": 4}, "another method"),
    ],
)
def test_a_name_of_another_sweep_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(JobConflict, match=f"name: expected a name that no sweep with {words} has, got 'a'"):
        check_extension(sweep(**GRID), sweep(**{**GRID, **changes}))


def test_fewer_trials_than_a_sweep_has_by_now_are_refused() -> None:
    with pytest.raises(
        JobConflict, match="run_cap: expected at least the 9 trials that 'a' has by now, got 6"
    ):
        check_extension(extended(sweep(), "+3"), sweep())
    check_extension(sweep(), extended(sweep(), "+3"))
    with pytest.raises(JobConflict, match=r"at least the 4 trials .* got 3"):
        check_extension(sweep(**GRID), sweep(**{**GRID, "run_cap": 3}))
    check_extension(sweep(**GRID), sweep(**{**GRID, "run_cap": 10}))


def test_a_sweep_is_extended_by_whole_points() -> None:
    before = sweep(seeds=2)
    with pytest.raises(
        InvalidInput, match=r"run_cap: expected at least 8, since each point has 2 seeds, got \+1"
    ):
        extended(before, "+1")
    assert extended(before, "+2").run_cap == 8
