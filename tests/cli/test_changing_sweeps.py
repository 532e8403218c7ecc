"""`quartet sweeps extend`, `retry` and `delete`, and `quartet delete` of a sweep's jobs, as a person types them."""

from collections.abc import Callable

import pytest
from click.testing import Result

from jobs.client import Client
from jobs.errors import InvalidInput, RedisUnreachable
from tests.sweeps.stand_in_worker import RATES, StandIn, sweep_of


def test_an_extended_sweep_says_how_many_trials_it_has_with_whole_points(
    client: Client, in_process: Callable[..., Result]
) -> None:
    fields = {"method": "random", "parameters": {"learning_rate": RATES}, "seeds": (0, 1), "run_cap": 2}
    client.create_sweep(sweep_of(**fields))
    assert (
        in_process("sweeps", "extend", "bowl", "--run-cap", "+3").stdout == "bowl running, at most 4 trials\n"
    )


def test_a_deleted_trial_is_run_again_and_what_counts_on_it_is_named_before(
    ended: Client, in_process: Callable[..., Result]
) -> None:
    job = ended.find_sweep("bowl").entries[0].job
    done = in_process("delete", job, "--yes")
    assert done.stdout == f"{job} deleted\n"
    assert done.stderr == f"the sweep bowl counts on {job}; `quartet sweeps retry bowl` runs it again\n"
    lines = in_process("sweeps", "retry", "bowl").stdout.splitlines()
    assert lines[0].split(" -> ")[0] == job
    assert [line.split(" -> ")[1] for line in lines] == [
        each.job for each in ended.find_sweep("bowl").entries if each.trial in (0, 4, 5)
    ]


def test_a_sweep_is_deleted_if_a_person_says_so(ended: Client, in_process: Callable[..., Result]) -> None:
    refused = in_process("sweeps", "delete", "bowl").exception
    assert isinstance(refused, InvalidInput)
    assert refused.expected == "--yes, since no terminal can be asked"
    assert in_process("sweeps", "delete", "bowl", "--yes").stdout == "bowl deleted\n"
    assert ended.sweeps() == []
    assert len(ended.jobs()) == 6


def test_sweeps_are_listed_from_their_files_without_redis_and_that_is_said(
    ended: Client, in_process: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    StandIn(ended).advance()
    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://127.0.0.1:1/0")
    done = in_process("sweeps", "list")
    assert isinstance(done.exception, RedisUnreachable)
    assert "these are the sweeps with a file" in str(done.exception)
    assert "validation_bce 0" in done.stdout
