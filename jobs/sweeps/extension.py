"""Whether a description extends that of a sweep which is there already, so that only what is new is run."""

import re

from jobs.errors import InvalidInput, JobConflict
from jobs.sweeps.distributions import Distribution
from jobs.sweeps.sweep_spec import MOST_TRIALS, SweepSpec
from jobs.wording import shown

_FREE = ("run_cap", "parallel", "max_failures", "time_limit", "priority", "tags", "fresh", "then", "each")
"""What may be another in a sweep that goes on: its trials so far are what they would have been."""

_WORDS = {
    "parameters": "other parameters",
    "seeds": "other seeds",
    "data": "other data",
    "early_terminate": "another early_terminate",
}
"""How messages name what differs, where `another` does not fit."""


def check_extension(before: SweepSpec, after: SweepSpec) -> None:
    """Refuse another description for a name that is in use, unless it only adds to that one.

    It may change what does not change the trials so far: more trials, how many at once, what follows. A grid
    may have more values.

    Args:
        before: the sweep that has the name.
        after: what it is to be.

    Raises:
        JobConflict: it is another sweep.
    """
    for name in SweepSpec.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old == new or name in _FREE:
            continue
        if name == "parameters" and before.method == "grid" and _adds(before, after):
            continue
        raise JobConflict(
            "name",
            expected=f"a name that no sweep with {_WORDS.get(name, f'another {name}')} has",
            given=shown(after.name),
            hint="under another name, trials that equal those of this sweep are reused",
        )
    most, fewer = before.most_trials(), after.most_trials()
    if fewer < most:
        raise JobConflict(
            "run_cap",
            expected=f"at least the {most:,} trials that {shown(before.name)} has by now",
            given=f"{fewer:,}",
            hint="`quartet sweeps stop` ends a sweep before it has all of them",
        )
    if before.then[: len(after.then)] != after.then[: len(before.then)]:
        raise JobConflict("then", expected="the jobs that follow so far, and perhaps more", given="others")


def extended(sweep: SweepSpec, run_cap: int | str) -> SweepSpec:
    """A sweep with more trials.

    Args:
        sweep: as it is.
        run_cap: the new most trials, or `+10` for that many more.

    Raises:
        InvalidInput: it is no such number, or no more than before.
    """
    most, seeds = sweep.run_cap or sweep.most_trials(), len(sweep.seeds)
    text = str(run_cap)
    number = re.fullmatch(r"(\+?)(\d{1,6})", text, re.ASCII)
    new = 0 if number is None else int(number[2]) + (most if number[1] else 0)
    if not most < new <= MOST_TRIALS:
        expected = f"+N, or an integer from {most + 1:,} to {MOST_TRIALS:,}"
        raise InvalidInput("run_cap", expected=expected, given=shown(run_cap))
    if new // seeds == most // seeds:
        expected = f"at least {(most // seeds + 1) * seeds:,}, since each point has {seeds} seeds"
        raise InvalidInput("run_cap", expected=expected, given=shown(run_cap))
    if sweep.method == "grid" and sweep.run_cap is None:
        raise InvalidInput(
            "run_cap",
            expected="none for a grid that has all its points",
            given=shown(run_cap),
            hint="add values to its description and ask for the sweep again",
        )
    return sweep.model_copy(update={"run_cap": new})


def _adds(before: SweepSpec, after: SweepSpec) -> bool:
    """Whether a grid has all points of another one, and perhaps more."""
    if sorted(before.varied) != sorted(after.varied) or before.fixed != after.fixed:
        return False
    return all(_has_all(after.parameters[name], before.parameters[name]) for name in before.varied)


def _has_all(after: Distribution, before: Distribution) -> bool:
    return after.distribution == before.distribution and set(after.values) >= set(before.values)
